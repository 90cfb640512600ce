/* Multiples of one point of a short Weierstrass curve y^2 = x^3 + a*x + b, for many scalars at once.

   Elements of a field have n limbs of 64 bits, the least significant first. At the border of this
   file they are plain numbers below p; within it they are in Montgomery form, but for primes near a
   power of two, whose products are folded. Additions are affine: of BATCH sums all denominators are
   inverted together (Montgomery's trick), so that an addition costs six products and a share of one
   inversion. A scalar is taken in signed windows of WINDOW bits, and a table holds half as many
   multiples of each window's base: the other half has -y. */
#include "kernels.h"

#define MOST 9 /* limbs: P-521 */
#define BATCH 512
#define CHAINS 4 /* of products that do not wait for one another */
#define WINDOW 9
#define HALF (1 << (WINDOW - 1)) /* points of a window: 1 to HALF times its base */

#ifndef INLINE /* a build for tests has functions of any size, and is made in a tenth of the time */
#define INLINE static inline __attribute__((always_inline))
#endif
#define CALLED static __attribute__((noinline)) /* products: inlined everywhere they take minutes */

typedef uint64_t limb;
typedef unsigned __int128 wide;

/* How products are reduced. The kind is known where a function is compiled. */
enum kind { GENERAL, P256, P384, P521, K256, C25519 };

typedef struct {
    limb p[MOST], one[MOST], square[MOST]; /* the prime; of a Montgomery form R and R^2 modulo it */
    limb negated;                          /* -1/p modulo 2^64 */
} field;

INLINE int folded(enum kind k) { return k == P521 || k == K256 || k == C25519; }

INLINE int below(int n, const limb *a, const limb *b) {
    for (int i = n - 1; i >= 0; i--)
        if (a[i] != b[i])
            return a[i] < b[i];
    return 0;
}

INLINE int is_zero(int n, const limb *a) {
    limb any = 0;
    for (int i = 0; i < n; i++)
        any |= a[i];
    return any == 0;
}

INLINE int equal(int n, const limb *a, const limb *b) {
    limb any = 0;
    for (int i = 0; i < n; i++)
        any |= a[i] ^ b[i];
    return any == 0;
}

INLINE void copy(int n, limb *r, const limb *a) {
    for (int i = 0; i < n; i++)
        r[i] = a[i];
}

/* r = a - b, and the borrow that is left */
INLINE limb less(int n, limb *r, const limb *a, const limb *b) {
    limb borrow = 0;
    for (int i = 0; i < n; i++) {
        wide t = (wide)a[i] - b[i] - borrow;
        r[i] = (limb)t;
        borrow = (limb)(t >> 64) & 1;
    }
    return borrow;
}

/* r = a + b, and the carry that is left */
INLINE limb more(int n, limb *r, const limb *a, const limb *b) {
    limb carry = 0;
    for (int i = 0; i < n; i++) {
        wide t = (wide)a[i] + b[i] + carry;
        r[i] = (limb)t;
        carry = (limb)(t >> 64);
    }
    return carry;
}

/* r = a, a number below 2*p of n limbs and a carry, modulo p: without a branch, which nobody could
   predict */
INLINE void settle(int n, const field *f, limb *r, const limb *a, limb carry) {
    limb t[MOST];
    limb keep = 0 - (limb)(less(n, t, a, f->p) > carry);
    for (int i = 0; i < n; i++)
        r[i] = t[i] ^ ((t[i] ^ a[i]) & keep);
}

INLINE void add(int n, const field *f, limb *r, const limb *a, const limb *b) {
    limb t[MOST];
    limb carry = more(n, t, a, b);
    settle(n, f, r, t, carry);
}

INLINE void sub(int n, const field *f, limb *r, const limb *a, const limb *b) {
    limb t[MOST], p[MOST];
    limb mask = 0 - less(n, t, a, b);
    for (int i = 0; i < n; i++)
        p[i] = f->p[i] & mask;
    more(n, r, t, p);
}

/* t[2n] = a*b */
INLINE void product(int n, limb *t, const limb *a, const limb *b) {
    limb carry = 0;
    for (int j = 0; j < n; j++) {
        wide c = (wide)a[j] * b[0] + carry;
        t[j] = (limb)c;
        carry = (limb)(c >> 64);
    }
    t[n] = carry;
    for (int i = 1; i < n; i++) {
        carry = 0;
        for (int j = 0; j < n; j++) {
            wide c = (wide)a[j] * b[i] + t[i + j] + carry;
            t[i + j] = (limb)c;
            carry = (limb)(c >> 64);
        }
        t[i + n] = carry;
    }
}

/* r = a*b/R: product and reduction limb by limb (Koc, Acar, Kaliski 1996: CIOS) */
INLINE void mul_general(int n, const field *f, limb *r, const limb *a, const limb *b) {
    limb t[MOST + 1] = {0}, top = 0;
    for (int i = 0; i < n; i++) {
        wide c = 0;
        for (int j = 0; j < n; j++) {
            c += (wide)a[j] * b[i] + t[j];
            t[j] = (limb)c;
            c >>= 64;
        }
        c += t[n];
        t[n] = (limb)c;
        top = (limb)(c >> 64);
        limb m = t[0] * f->negated;
        c = ((wide)m * f->p[0] + t[0]) >> 64;
        for (int j = 1; j < n; j++) {
            c += (wide)m * f->p[j] + t[j];
            t[j - 1] = (limb)c;
            c >>= 64;
        }
        c += t[n];
        t[n - 1] = (limb)c;
        t[n] = top + (limb)(c >> 64);
    }
    settle(n, f, r, t, t[n]);
}

/* The same where p = 2^256 - 2^224 + 2^192 + 2^96 - 1 = -1 modulo 2^64: what is added to t for its
   lowest limb m is m*p = (m*p[3] << 192) + (m << 96) - m */
CALLED void mul_p256(const field *f, limb *r, const limb *a, const limb *b) {
    limb t[8], carry = 0;
    product(4, t, a, b);
    for (int i = 0; i < 4; i++) {
        limb m = t[i];
        wide c = (wide)t[i + 1] + (m << 32);
        t[i + 1] = (limb)c;
        c = (wide)t[i + 2] + (m >> 32) + (limb)(c >> 64);
        t[i + 2] = (limb)c;
        c = (wide)m * 0xffffffff00000001 + t[i + 3] + (limb)(c >> 64);
        t[i + 3] = (limb)c;
        c = (c >> 64) + t[i + 4] + carry;
        t[i + 4] = (limb)c;
        carry = (limb)(c >> 64);
    }
    settle(4, f, r, t + 4, carry);
}

/* The same where p = 2^384 - 2^128 - 2^96 + 2^32 - 1: m is t*(2^32 + 1) modulo 2^64, and m*p is
   (m << 384) - m*(2^128 + 2^96 - 2^32 + 1) */
CALLED void mul_p384(const field *f, limb *r, const limb *a, const limb *b) {
    limb t[12], carry = 0;
    product(6, t, a, b);
    for (int i = 0; i < 6; i++) {
        limb m = t[i] + (t[i] << 32);
        /* w = m*(2^128 + 2^96 - 2^32 + 1): its lowest limb is t[i] */
        wide low = (wide)m - ((wide)m << 32); /* modulo 2^128: it is negative, but of zero */
        wide middle = (low >> 64) + ((wide)m << 32);
        wide high = (wide)m + (middle >> 64) - (m != 0);
        wide d = (wide)t[i + 1] - (limb)middle;
        t[i + 1] = (limb)d;
        d = (wide)t[i + 2] - (limb)high - ((limb)(d >> 64) & 1);
        t[i + 2] = (limb)d;
        limb borrow = ((limb)(d >> 64) & 1) + (limb)(high >> 64);
        for (int j = 3; j < 6; j++) {
            d = (wide)t[i + j] - borrow;
            t[i + j] = (limb)d;
            borrow = (limb)(d >> 64) & 1;
        }
        wide c = (wide)t[i + 6] + m + carry - borrow; /* m is not zero where anything is borrowed */
        t[i + 6] = (limb)c;
        carry = (limb)(c >> 64);
    }
    settle(6, f, r, t + 6, carry);
}

/* r = a*b modulo 2^521 - 1 */
CALLED void mul_p521(const field *f, limb *r, const limb *a, const limb *b) {
    limb t[18], high[9];
    product(9, t, a, b);
    for (int i = 0; i < 9; i++)
        high[i] = t[i + 8] >> 9 | t[i + 9] << 55;
    t[8] &= 0x1ff;
    more(9, t, t, high);
    settle(9, f, r, t, 0);
}

/* r = a*b modulo 2^256 - c, where c has 33 bits: 2^256 is c */
CALLED void mul_k256(const field *f, limb *r, const limb *a, const limb *b) {
    const limb c = 0x1000003d1;
    limb t[8];
    product(4, t, a, b);
    wide s = 0;
    for (int i = 0; i < 4; i++) {
        s += (wide)t[i + 4] * c + t[i];
        t[i] = (limb)s;
        s >>= 64;
    }
    s = (wide)(limb)s * c;
    for (int i = 0; i < 4; i++) {
        s += t[i];
        t[i] = (limb)s;
        s >>= 64;
    }
    /* a carry means a number below 2^256 + 2^67: once more c is all that p is short of */
    settle(4, f, r, t, (limb)s);
}

/* r = a*b modulo 2^255 - 19: 2^256 is 38 */
CALLED void mul_c25519(const field *f, limb *r, const limb *a, const limb *b) {
    limb t[8];
    product(4, t, a, b);
    wide s = 0;
    for (int i = 0; i < 4; i++) {
        s += (wide)t[i + 4] * 38 + t[i];
        t[i] = (limb)s;
        s >>= 64;
    }
    s = (wide)(((limb)s << 1 | t[3] >> 63) * 19);
    t[3] &= 0x7fffffffffffffff;
    for (int i = 0; i < 4; i++) {
        s += t[i];
        t[i] = (limb)s;
        s >>= 64;
    }
    settle(4, f, r, t, 0);
}

#define GENERALLY(n)                                                                               \
    CALLED void mul_##n(const field *f, limb *r, const limb *a, const limb *b) {                   \
        mul_general(n, f, r, a, b);                                                                \
    }
GENERALLY(3)
GENERALLY(4)
GENERALLY(5)
GENERALLY(6)
GENERALLY(7)
GENERALLY(8)

INLINE void mul(int n, enum kind k, const field *f, limb *r, const limb *a, const limb *b) {
    switch (k) {
    case P256: mul_p256(f, r, a, b); break;
    case P384: mul_p384(f, r, a, b); break;
    case P521: mul_p521(f, r, a, b); break;
    case K256: mul_k256(f, r, a, b); break;
    case C25519: mul_c25519(f, r, a, b); break;
    default: break;
    }
    if (k != GENERAL)
        return;
    switch (n) {
    case 3: mul_3(f, r, a, b); break;
    case 4: mul_4(f, r, a, b); break;
    case 5: mul_5(f, r, a, b); break;
    case 6: mul_6(f, r, a, b); break;
    case 7: mul_7(f, r, a, b); break;
    default: mul_8(f, r, a, b);
    }
}

/* r = 1/a by Fermat, four bits of p - 2 at a time; 0 of 0 */
INLINE void invert(int n, enum kind k, const field *f, limb *r, const limb *a) {
    limb e[MOST], power[16][MOST], two[MOST] = {2}, x[MOST];
    less(n, e, f->p, two);
    copy(n, power[0], f->one);
    for (int i = 1; i < 16; i++)
        mul(n, k, f, power[i], power[i - 1], a);
    copy(n, x, f->one);
    for (int i = 16 * n - 1; i >= 0; i--) {
        for (int square = 0; square < 4; square++)
            mul(n, k, f, x, x, x);
        unsigned nibble = (unsigned)(e[i / 16] >> 4 * (i % 16)) & 15;
        if (nibble)
            mul(n, k, f, x, x, power[nibble]);
    }
    copy(n, r, x);
}

INLINE void enter(int n, enum kind k, const field *f, limb *r, const limb *plain) {
    if (folded(k))
        copy(n, r, plain);
    else
        mul(n, k, f, r, plain, f->square);
}

INLINE void leave(int n, enum kind k, const field *f, limb *r, const limb *a) {
    limb one[MOST] = {1};
    if (folded(k))
        copy(n, r, a);
    else
        mul(n, k, f, r, a, one);
}

/* numbers: p and R^2 modulo p */
INLINE field open_field(int n, enum kind k, const limb *numbers) {
    field f = {.negated = 1};
    limb one[MOST] = {1};
    copy(n, f.p, numbers);
    copy(n, f.square, numbers + n);
    for (int i = 0; i < 6; i++) /* Newton: twice as many bits each time, from one */
        f.negated *= 2 - f.p[0] * f.negated;
    f.negated = 0 - f.negated;
    if (folded(k))
        copy(n, f.one, one);
    else
        mul(n, k, &f, f.one, one, f.square);
    return f;
}

/* Replace each of m numbers by its inverse; those that are zero stay zero. before: room for m.
   Every CHAINS-th number belongs to one chain of products: a processor works at all of them. */
INLINE void invert_all(int n, enum kind k, const field *f, int m, limb *a, limb *before) {
    limb run[CHAINS][MOST], upto[CHAINS][MOST], inverse[MOST], t[MOST];
    for (int c = 0; c < CHAINS; c++)
        copy(n, run[c], f->one);
    for (int i = 0; i < m; i++) {
        limb *chain = run[i % CHAINS];
        copy(n, before + i * n, chain);
        if (!is_zero(n, a + i * n))
            mul(n, k, f, chain, chain, a + i * n);
    }
    copy(n, upto[0], run[0]);
    for (int c = 1; c < CHAINS; c++)
        mul(n, k, f, upto[c], upto[c - 1], run[c]);
    invert(n, k, f, inverse, upto[CHAINS - 1]);
    for (int c = CHAINS - 1; c > 0; c--) {
        mul(n, k, f, t, inverse, upto[c - 1]);
        mul(n, k, f, inverse, inverse, run[c]);
        copy(n, run[c], t);
    }
    copy(n, run[0], inverse);
    for (int i = m - 1; i >= 0; i--) {
        limb *chain = run[i % CHAINS];
        if (is_zero(n, a + i * n))
            continue;
        mul(n, k, f, t, chain, before + i * n);
        mul(n, k, f, chain, chain, a + i * n);
        copy(n, a + i * n, t);
    }
}

/* One addition of a batch: which point, whether -y is meant, and what comes of it. */
typedef struct {
    const limb *other; /* NULL: nothing is added */
    uint8_t negative, what;
} addend;

enum { KEEP, TAKE, ADD, TWICE, VANISH };

/* Add to each of m points another one. A point is x and y end to end; neutral[i]: the i-th is the
   neutral one. below_ and before have room for m numbers. */
INLINE void sum(int n, enum kind k, const field *f, const limb *a, int m, limb *points,
                uint8_t *neutral, addend *others, limb *below_, limb *before) {
    const limb zero[MOST] = {0};
    for (int i = 0; i < m; i++) {
        const limb *one = points + 2 * i * n, *other = others[i].other;
        limb *den = below_ + i * n;
        others[i].what = KEEP;
        copy(n, den, f->one);
        if (!other)
            continue;
        if (neutral[i]) {
            others[i].what = TAKE;
            continue;
        }
        sub(n, f, den, other, one);
        others[i].what = ADD;
        if (is_zero(n, den)) {
            limb y[MOST];
            copy(n, y, other + n);
            if (others[i].negative)
                sub(n, f, y, zero, other + n);
            int twice = equal(n, one + n, y) && !is_zero(n, y);
            others[i].what = twice ? TWICE : VANISH;
            add(n, f, den, y, y);
            if (!twice)
                copy(n, den, f->one);
        }
    }
    invert_all(n, k, f, m, below_, before);
    for (int i = 0; i < m; i++) {
        limb *x = points + 2 * i * n, *y = x + n, slope[MOST], t[MOST], signed_y[MOST];
        const limb *other = others[i].other;
        if (others[i].what == KEEP)
            continue;
        neutral[i] = others[i].what == VANISH;
        if (neutral[i])
            continue;
        sub(n, f, t, zero, other + n);
        copy(n, signed_y, others[i].negative ? t : other + n);
        if (others[i].what == TAKE) {
            copy(n, x, other);
            copy(n, y, signed_y);
            continue;
        }
        if (others[i].what == ADD) {
            sub(n, f, slope, signed_y, y);
        } else { /* 3*x^2 + a */
            mul(n, k, f, t, x, x);
            add(n, f, slope, t, t);
            add(n, f, slope, slope, t);
            add(n, f, slope, slope, a);
        }
        mul(n, k, f, slope, slope, below_ + i * n);
        mul(n, k, f, t, slope, slope);
        sub(n, f, t, t, x);
        sub(n, f, t, t, other);
        sub(n, f, x, x, t);
        mul(n, k, f, slope, slope, x);
        sub(n, f, y, slope, y);
        copy(n, x, t);
    }
}

/* Double a point of Jacobian coordinates X, Y, Z, end to end: x = X/Z^2, y = Y/Z^3. */
INLINE void twice(int n, enum kind k, const field *f, const limb *a, limb *point) {
    limb *x = point, *y = point + n, *z = point + 2 * n, square[MOST], four[MOST], slope[MOST],
         t[MOST];
    mul(n, k, f, square, y, y);
    mul(n, k, f, four, x, square);
    add(n, f, four, four, four);
    add(n, f, four, four, four);
    mul(n, k, f, t, z, z);
    mul(n, k, f, t, t, t);
    mul(n, k, f, slope, t, a);
    mul(n, k, f, t, x, x);
    add(n, f, slope, slope, t);
    add(n, f, slope, slope, t);
    add(n, f, slope, slope, t); /* 3*X^2 + a*Z^4 */
    mul(n, k, f, z, y, z);
    add(n, f, z, z, z);
    mul(n, k, f, x, slope, slope);
    sub(n, f, x, x, four);
    sub(n, f, x, x, four);
    sub(n, f, four, four, x);
    mul(n, k, f, y, slope, four);
    mul(n, k, f, square, square, square);
    for (int i = 0; i < 3; i++)
        add(n, f, square, square, square); /* 8*Y^4 */
    sub(n, f, y, y, square);
}

/* The windows' bases are 2^(WINDOW*w) times the generator. Of a base's first m multiples, each plus
   the m-th, come the next m. */
INLINE void build(int n, enum kind k, const limb *numbers, const limb *curve, int windows,
                  limb *table) {
    field f = open_field(n, k, numbers);
    limb a[MOST], point[3 * MOST], last[2 * BATCH * MOST], den[BATCH * MOST], before[BATCH * MOST];
    limb *into[BATCH];
    addend others[BATCH];
    uint8_t neutral[BATCH] = {0};
    const size_t size = 2 * (size_t)n, row = HALF * size;
    enter(n, k, &f, a, curve);
    enter(n, k, &f, point, curve + n);
    enter(n, k, &f, point + n, curve + 2 * n);
    copy(n, point + 2 * n, f.one);
    for (int w = 0; w < windows; w++) {
        copy(2 * n, table + (size_t)w * row, point);
        copy(n, den + w * n, point + 2 * n);
        for (int i = 0; i < WINDOW; i++)
            twice(n, k, &f, a, point);
    }
    invert_all(n, k, &f, windows, den, before);
    for (int w = 0; w < windows; w++) {
        limb *base = table + (size_t)w * row, square[MOST];
        mul(n, k, &f, square, den + w * n, den + w * n);
        mul(n, k, &f, base, base, square);
        mul(n, k, &f, square, square, den + w * n);
        mul(n, k, &f, base + n, base + n, square);
    }
    for (int m = 1; m < HALF; m *= 2) {
        int filled = 0;
        for (int at = 0; at < windows * m; at++) {
            limb *base = table + (size_t)(at / m) * row;
            copy(2 * n, last + 2 * filled * n, base + (size_t)(at % m) * size);
            others[filled] = (addend){.other = base + (size_t)(m - 1) * size};
            into[filled++] = base + (size_t)(m + at % m) * size;
            if (filled < BATCH && at + 1 < windows * m)
                continue;
            sum(n, k, &f, a, filled, last, neutral, others, den, before);
            for (int i = 0; i < filled; i++)
                copy(2 * n, into[i], last + 2 * i * n);
            filled = 0;
        }
    }
}

/* The bits of a window of a scalar: none are beyond its limbs. */
INLINE unsigned bits_of(int n, const limb *scalar, int window) {
    int at = window * WINDOW, word = at / 64, shift = at % 64;
    limb bits = word < n ? scalar[word] >> shift : 0;
    if (shift > 64 - WINDOW && word + 1 < n)
        bits |= scalar[word + 1] << (64 - shift);
    return (unsigned)bits & ((1 << WINDOW) - 1);
}

INLINE void multiply(int n, enum kind k, const limb *numbers, const limb *curve, int windows,
                     const limb *table, const limb *bound, size_t count, const limb *scalars,
                     limb *points, uint8_t *valid) {
    field f = open_field(n, k, numbers);
    limb a[MOST], sums[2 * BATCH * MOST], den[BATCH * MOST], before[BATCH * MOST];
    addend others[BATCH];
    uint8_t neutral[BATCH], carry[BATCH];
    enter(n, k, &f, a, curve);
    for (size_t first = 0; first < count; first += BATCH) {
        int m = count - first < BATCH ? (int)(count - first) : BATCH;
        const limb *scalar = scalars + first * (size_t)n;
        memset(neutral, 1, sizeof neutral);
        memset(carry, 0, sizeof carry);
        memset(sums, 0, sizeof(limb) * 2 * (size_t)m * (size_t)n);
        for (int i = 0; i < m; i++)
            valid[first + (size_t)i] = (uint8_t)below(n, scalar + i * n, bound);
        for (int w = 0; w < windows; w++) {
            const limb *row = table + (size_t)w * HALF * 2 * (size_t)n;
            for (int i = 0; i < m; i++) {
                unsigned digit = bits_of(n, scalar + i * n, w) + carry[i];
                others[i] = (addend){.negative = digit > HALF};
                carry[i] = others[i].negative;
                if (others[i].negative)
                    digit = (1 << WINDOW) - digit;
                if (digit && valid[first + (size_t)i])
                    others[i].other = row + (size_t)(digit - 1) * 2 * (size_t)n;
            }
            sum(n, k, &f, a, m, sums, neutral, others, den, before);
        }
        for (int i = 0; i < m; i++) {
            size_t at = first + (size_t)i;
            valid[at] &= !neutral[i];
            leave(n, k, &f, points + 2 * at * (size_t)n, sums + 2 * i * n);
            leave(n, k, &f, points + (2 * at + 1) * (size_t)n, sums + (2 * i + 1) * n);
        }
    }
}

/* mapped = (c[0]*x + c[1]) / (c[2]*x + c[3]) */
INLINE void map(int n, enum kind k, const limb *numbers, const limb *coefficients, size_t count,
                const limb *values, limb *mapped, uint8_t *valid) {
    field f = open_field(n, k, numbers);
    limb c[4 * MOST], up[BATCH * MOST], den[BATCH * MOST], before[BATCH * MOST], x[MOST];
    for (int i = 0; i < 4; i++)
        enter(n, k, &f, c + i * n, coefficients + i * n);
    int whole = is_zero(n, c + 2 * n) && equal(n, c + 3 * n, f.one);
    for (size_t first = 0; first < count; first += BATCH) {
        int size = count - first < BATCH ? (int)(count - first) : BATCH;
        for (int i = 0; i < size; i++) {
            size_t row = first + (size_t)i;
            enter(n, k, &f, x, values + row * (size_t)n);
            mul(n, k, &f, up + i * n, c, x);
            add(n, &f, up + i * n, up + i * n, c + n);
            mul(n, k, &f, den + i * n, c + 2 * n, x);
            add(n, &f, den + i * n, den + i * n, c + 3 * n);
            valid[row] = !is_zero(n, den + i * n);
        }
        if (!whole)
            invert_all(n, k, &f, size, den, before);
        for (int i = 0; i < size; i++) {
            if (!whole)
                mul(n, k, &f, up + i * n, up + i * n, den + i * n);
            leave(n, k, &f, mapped + (first + (size_t)i) * (size_t)n, up + i * n);
        }
    }
}

/* holds[i] = 1 where y^2 = x^3 + a*x + b of points[i], x and y below p */
INLINE void check(int n, enum kind k, const limb *numbers, const limb *curve, size_t count,
                  const limb *points, uint8_t *holds) {
    field f = open_field(n, k, numbers);
    limb a[MOST], b[MOST], x[MOST], y[MOST], t[MOST];
    enter(n, k, &f, a, curve);
    enter(n, k, &f, b, curve + n);
    for (size_t i = 0; i < count; i++) {
        const limb *point = points + 2 * i * (size_t)n;
        holds[i] = 0;
        if (!below(n, point, f.p) || !below(n, point + n, f.p))
            continue;
        enter(n, k, &f, x, point);
        enter(n, k, &f, y, point + n);
        mul(n, k, &f, t, x, x);
        add(n, &f, t, t, a);
        mul(n, k, &f, t, t, x);
        add(n, &f, t, t, b);
        mul(n, k, &f, y, y, y);
        holds[i] = (uint8_t)equal(n, t, y);
    }
}

/* Which prime it is: those that have a product of their own. */
static enum kind kind_of(int n, const limb *p) {
    static const limb primes[][MOST] = {
        [P256] = {UINT64_MAX, 0xffffffff, 0, 0xffffffff00000001},
        [P384] = {0xffffffff, 0xffffffff00000000, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX,
                  UINT64_MAX},
        [P521] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                  UINT64_MAX, UINT64_MAX, 0x1ff},
        [K256] = {UINT64_MAX - 0x1000003d0, UINT64_MAX, UINT64_MAX, UINT64_MAX},
        [C25519] = {UINT64_MAX - 18, UINT64_MAX, UINT64_MAX, INT64_MAX},
    };
    static const int limbs[] = {[P256] = 4, [P384] = 6, [P521] = 9, [K256] = 4, [C25519] = 4};
    for (enum kind k = P256; k <= C25519; k++)
        if (limbs[k] == n && memcmp(primes[k], p, sizeof(limb) * (size_t)n) == 0)
            return k;
    return GENERAL;
}

/* A call for each count of limbs and each kind, so that the compiler knows both. */
#define EACH(call)                                                                                 \
    switch (kind_of(limbs, numbers)) {                                                             \
    case P256: call(4, P256); return 0;                                                            \
    case P384: call(6, P384); return 0;                                                            \
    case P521: call(9, P521); return 0;                                                            \
    case K256: call(4, K256); return 0;                                                            \
    case C25519: call(4, C25519); return 0;                                                        \
    default: break;                                                                                \
    }                                                                                              \
    switch (limbs) {                                                                               \
    case 3: call(3, GENERAL); return 0;                                                            \
    case 4: call(4, GENERAL); return 0;                                                            \
    case 5: call(5, GENERAL); return 0;                                                            \
    case 6: call(6, GENERAL); return 0;                                                            \
    case 7: call(7, GENERAL); return 0;                                                            \
    case 8: call(8, GENERAL); return 0;                                                            \
    default: break;                                                                                \
    }                                                                                              \
    return -1;

static int fits(int limbs, int windows) {
    return limbs >= 3 && limbs <= MOST && windows >= 1 && (windows - 1) * WINDOW <= 64 * limbs;
}

/* table[windows][HALF][2][limbs] of the generator. numbers[2][limbs]: p, an odd prime, and R^2
   modulo p, R = 2^(64*limbs); curve[3][limbs]: a, and x and y of the generator, whose order is
   greater than 2^WINDOW. 0, or -1 where a size is none of these. */
KERNEL int curve_table(int limbs, const limb *numbers, const limb *curve, int windows,
                       limb *table);
int curve_table(int limbs, const limb *numbers, const limb *curve, int windows, limb *table) {
    if (!fits(limbs, windows) || windows > BATCH)
        return -1;
#define CALL(n, k) build(n, k, numbers, curve, windows, table)
    EACH(CALL)
#undef CALL
}

/* points[count][2][limbs]: x and y of scalars[count][limbs] times the generator, all below
   bound[limbs], of which windows*WINDOW - 1 bits may be set; valid[count] is 0 where one is not, or
   the neutral point comes of it. */
KERNEL int curve_multiples(int limbs, const limb *numbers, const limb *curve, int windows,
                           const limb *table, const limb *bound, size_t count,
                           const limb *scalars, limb *points, uint8_t *valid);
int curve_multiples(int limbs, const limb *numbers, const limb *curve, int windows,
                    const limb *table, const limb *bound, size_t count, const limb *scalars,
                    limb *points, uint8_t *valid) {
    if (!fits(limbs, windows))
        return -1;
#define CALL(n, k)                                                                                 \
    multiply(n, k, numbers, curve, windows, table, bound, count, scalars, points, valid)
    EACH(CALL)
#undef CALL
}

/* mapped[count][limbs]: (a*x + b)/(c*x + d) of values[count][limbs] below p, given the four as
   coefficients[4][limbs]; valid[count] is 0 where the denominator is. */
KERNEL int field_map(int limbs, const limb *numbers, const limb *coefficients, size_t count,
                     const limb *values, limb *mapped, uint8_t *valid);
int field_map(int limbs, const limb *numbers, const limb *coefficients, size_t count,
              const limb *values, limb *mapped, uint8_t *valid) {
#define CALL(n, k) map(n, k, numbers, coefficients, count, values, mapped, valid)
    EACH(CALL)
#undef CALL
}

/* holds[count]: whether points[count][2][limbs] lie on the curve[2][limbs], a and b. */
KERNEL int curve_check(int limbs, const limb *numbers, const limb *curve, size_t count,
                       const limb *points, uint8_t *holds);
int curve_check(int limbs, const limb *numbers, const limb *curve, size_t count,
                const limb *points, uint8_t *holds) {
#define CALL(n, k) check(n, k, numbers, curve, count, points, holds)
    EACH(CALL)
#undef CALL
}
