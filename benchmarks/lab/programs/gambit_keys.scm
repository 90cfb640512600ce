;; Integers of Gambit: gsi gambit_keys.scm FOLDER live KIND...
(define args (cddr (command-line)))
(define (octets p) (call-with-input-file p (lambda (f) (let loop ((l '())) (let ((b (read-u8 f))) (if (eof-object? b) (reverse l) (loop (cons b l))))))))
(define (num kind end) (let loop ((l (octets (string-append (car args) "/" kind "." end ".num"))) (v 0)) (if (null? l) v (loop (cdr l) (+ (* v 256) (car l))))))
(define (powmod b e n) (let loop ((b b) (e e) (r 1)) (if (zero? e) r (loop (modulo (* b b) n) (quotient e 2) (if (odd? e) (modulo (* r b) n) r)))))
(define held (map (lambda (k) (let ((key (map (lambda (e) (num k e)) '("n" "d" "p" "q")))) (powmod 12345 (cadr key) (car key)) key)) (cddr args)))
(display "ready\n") (force-output) (thread-sleep! 3600) (display held)
