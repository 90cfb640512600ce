#lang racket/base
;; Integers of Racket: racket racket_keys.rkt FOLDER live|freed KIND...
(require racket/port racket/file)
(define args (vector->list (current-command-line-arguments)))
(define (num kind end)
  (for/fold ([v 0]) ([b (file->bytes (format "~a/~a.~a.num" (car args) kind end))]) (+ (* v 256) b)))
(define (powmod b e n) (let loop ([b b] [e e] [r 1]) (if (zero? e) r (loop (modulo (* b b) n) (arithmetic-shift e -1) (if (odd? e) (modulo (* r b) n) r)))))
(define held (for/list ([k (cddr args)]) (let ([key (for/list ([e '("n" "d" "p" "q")]) (num k e))]) (powmod 12345 (cadr key) (car key)) key)))
(when (equal? (cadr args) "freed") (set! held #f) (collect-garbage) (collect-garbage))
(printf "ready\n") (flush-output) (sleep 3600) (print held)
