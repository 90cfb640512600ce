;; Integers of CLISP and ECL: clisp bignum_keys.lisp FOLDER live KIND...
(defvar *args* #+clisp ext:*args* #+ecl (let ((a (ext:command-args))) (nthcdr 3 a)))
(defun octets (path) (with-open-file (f path :element-type '(unsigned-byte 8))
  (let ((raw (make-array (file-length f) :element-type '(unsigned-byte 8)))) (read-sequence raw f) raw)))
(defun num (kind end) (reduce (lambda (v b) (+ (* v 256) b)) (octets (format nil "~a/~a.~a.num" (first *args*) kind end)) :initial-value 0))
(defun powmod (b e n) (loop with r = 1 until (zerop e) do (when (oddp e) (setf r (mod (* r b) n))) (setf b (mod (* b b) n) e (ash e -1)) finally (return r)))
(defvar *held* (mapcar (lambda (k) (let ((key (mapcar (lambda (e) (num k e)) '("n" "d" "p" "q")))) (powmod 12345 (second key) (first key)) key)) (cddr *args*)))
(format t "ready~%") (finish-output) (sleep 3600) (print *held*)
