;; Integers of CHICKEN: csi -s chicken_keys.scm FOLDER live KIND...
(import (chicken io) (chicken process-context) (chicken bitwise) srfi-4 (chicken base) (chicken process))
(define args (command-line-arguments))
(define (octets p) (map char->integer (string->list (call-with-input-file p (lambda (f) (read-string #f f)) #:binary))))
(define (num kind end) (let loop ((l (octets (string-append (car args) "/" kind "." end ".num"))) (v 0)) (if (null? l) v (loop (cdr l) (+ (* v 256) (car l))))))
(define (powmod b e n) (let loop ((b b) (e e) (r 1)) (if (zero? e) r (loop (modulo (* b b) n) (quotient e 2) (if (odd? e) (modulo (* r b) n) r)))))
(define held (map (lambda (k) (let ((key (map (lambda (e) (num k e)) '("n" "d" "p" "q")))) (powmod 12345 (cadr key) (car key)) key)) (cddr args)))
(display "ready\n") (flush-output) (import (chicken process) (chicken time)) (process-sleep 3600) (display held)
