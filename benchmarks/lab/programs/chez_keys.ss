;; Integers of Chez Scheme: chezscheme --script chez_keys.ss FOLDER live|freed KIND...
(define args (cdr (command-line)))
(define (octets p) (let* ([f (open-file-input-port p)] [b (get-bytevector-all f)]) (close-port f) b))
(define (num kind end) (let ([b (octets (string-append (car args) "/" kind "." end ".num"))])
  (do ([i 0 (+ i 1)] [v 0 (+ (* v 256) (bytevector-u8-ref b i))]) ((= i (bytevector-length b)) v))))
(define (powmod b e n) (let loop ([b b] [e e] [r 1]) (if (zero? e) r (loop (modulo (* b b) n) (ash e -1) (if (odd? e) (modulo (* r b) n) r)))))
(define held (map (lambda (k) (let ([key (map (lambda (e) (num k e)) '("n" "d" "p" "q"))]) (powmod 12345 (cadr key) (car key)) key)) (cddr args)))
(when (equal? (cadr args) "freed") (set! held #f) (collect 7))
(display "ready\n") (flush-output-port) (sleep (make-time 'time-duration 0 3600)) (display held)
