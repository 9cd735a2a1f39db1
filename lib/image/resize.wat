;; The inner loops of resize.ts, four to sixteen bytes at a time. resize.wasm is this file, assembled by
;; tests/image/assemble.ts; a test compares the two.
;;
;; A plane is one channel, rows from the top, one byte a pixel. Weights are 32-bit integers with 22 bits of fraction;
;; sums start at one half. Loops write up to 15 bytes past the end of what they are asked for, in ascending order.
(module
  (memory (import "js" "memory") 1)

  ;; pixels of red green blue at $from to three planes, $plane bytes apart, at $to. Returns 0 when all pixels are grey.
  ;; $pixels is a multiple of 16.
  (func (export "split") (param $from i32) (param $pixels i32) (param $to i32) (param $plane i32) (result i32)
    (local $end i32) (local $a v128) (local $b v128) (local $c v128)
    (local $red v128) (local $green v128) (local $blue v128) (local $colour v128)
    (local.set $end (i32.add (local.get $to) (local.get $pixels)))
    (loop $next
      (local.set $a (v128.load (local.get $from)))
      (local.set $b (v128.load offset=16 (local.get $from)))
      (local.set $c (v128.load offset=32 (local.get $from)))
      (local.set $red (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 17 20 23 26 29
        (i8x16.shuffle 0 3 6 9 12 15 18 21 24 27 30 0 0 0 0 0 (local.get $a) (local.get $b)) (local.get $c)))
      (local.set $green (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 18 21 24 27 30
        (i8x16.shuffle 1 4 7 10 13 16 19 22 25 28 31 0 0 0 0 0 (local.get $a) (local.get $b)) (local.get $c)))
      (local.set $blue (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 16 19 22 25 28 31
        (i8x16.shuffle 2 5 8 11 14 17 20 23 26 29 0 0 0 0 0 0 (local.get $a) (local.get $b)) (local.get $c)))
      (local.set $colour (v128.or (local.get $colour) (v128.or
        (v128.xor (local.get $red) (local.get $green)) (v128.xor (local.get $red) (local.get $blue)))))
      (v128.store (local.get $to) (local.get $red))
      (v128.store (i32.add (local.get $to) (local.get $plane)) (local.get $green))
      (v128.store (i32.add (local.get $to) (i32.shl (local.get $plane) (i32.const 1))) (local.get $blue))
      (local.set $from (i32.add (local.get $from) (i32.const 48)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end))))
    (v128.any_true (local.get $colour)))

  ;; Three planes to pixels of red green blue at $to.
  (func (export "merge") (param $r i32) (param $g i32) (param $b i32) (param $pixels i32) (param $to i32)
    (local $end i32) (local $red v128) (local $green v128) (local $blue v128)
    (local.set $end (i32.add (local.get $r) (local.get $pixels)))
    (loop $next
      (local.set $red (v128.load (local.get $r)))
      (local.set $green (v128.load (local.get $g)))
      (local.set $blue (v128.load (local.get $b)))
      (v128.store (local.get $to) (i8x16.shuffle 0 1 16 3 4 17 6 7 18 9 10 19 12 13 20 15
        (i8x16.shuffle 0 16 0 1 17 0 2 18 0 3 19 0 4 20 0 5 (local.get $red) (local.get $green)) (local.get $blue)))
      (v128.store offset=16 (local.get $to) (i8x16.shuffle 0 21 2 3 22 5 6 23 8 9 24 11 12 25 14 15
        (i8x16.shuffle 21 0 6 22 0 7 23 0 8 24 0 9 25 0 10 26 (local.get $red) (local.get $green)) (local.get $blue)))
      (v128.store offset=32 (local.get $to) (i8x16.shuffle 26 1 2 27 4 5 28 7 8 29 10 11 30 13 14 31
        (i8x16.shuffle 0 11 27 0 12 28 0 13 29 0 14 30 0 15 31 0 (local.get $red) (local.get $green)) (local.get $blue)))
      (local.set $to (i32.add (local.get $to) (i32.const 48)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $r (i32.add (local.get $r) (i32.const 16))) (local.get $end)))))

  ;; The source pixels of one output pixel times their weights, 8 at a time, as four sums to be added. $span holds the
  ;; first one's place in the row at $from and their number. A weight is 2^14 high + low: at $w, 8 low halves lie before
  ;; their 8 high ones, zeros after the last.
  (func $weigh (param $from i32) (param $span i32) (param $w i32) (result v128)
    (local $end i32) (local $pixels v128) (local $low v128) (local $high v128)
    (local.set $from (i32.add (local.get $from) (i32.load (local.get $span))))
    (local.set $end (i32.add (local.get $w) (i32.shl (i32.load offset=4 (local.get $span)) (i32.const 2))))
    (loop $tap
      (local.set $pixels (v128.load8x8_u (local.get $from)))
      (local.set $low (i32x4.add (local.get $low)
        (i32x4.dot_i16x8_s (local.get $pixels) (v128.load (local.get $w)))))
      (local.set $high (i32x4.add (local.get $high)
        (i32x4.dot_i16x8_s (local.get $pixels) (v128.load offset=16 (local.get $w)))))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $tap (i32.lt_u (local.tee $w (i32.add (local.get $w) (i32.const 32))) (local.get $end))))
    (i32x4.add (local.get $low) (i32x4.shl (local.get $high) (i32.const 14))))

  ;; Adds the halves of two vectors: a0 + a2, b0 + b2, a1 + a3, b1 + b3.
  (func $fold (param $a v128) (param $b v128) (result v128)
    (i32x4.add
      (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b))
      (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b))))

  ;; $rows rows of $width pixels to $to pixels each, four at a time: $spans and $weights (in halves, $taps apart) as
  ;; above, both going on to a multiple of 4 output pixels.
  (func (export "horizontal") (param $from i32) (param $width i32) (param $rows i32) (param $out i32) (param $to i32)
    (param $spans i32) (param $weights i32) (param $taps i32)
    (local $x i32) (local $span i32) (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $w3 i32) (local $size i32)
    (local $a v128) (local $b v128)
    (local.set $size (i32.shl (local.get $taps) (i32.const 2)))
    (loop $row
      (local.set $x (i32.const 0))
      (local.set $span (local.get $spans))
      (local.set $w0 (local.get $weights))
      (loop $pixels
        (local.set $w1 (i32.add (local.get $w0) (local.get $size)))
        (local.set $w2 (i32.add (local.get $w1) (local.get $size)))
        (local.set $w3 (i32.add (local.get $w2) (local.get $size)))
        (local.set $a (call $fold
          (call $weigh (local.get $from) (local.get $span) (local.get $w0))
          (call $weigh (local.get $from) (i32.add (local.get $span) (i32.const 8)) (local.get $w1))))
        (local.set $b (call $fold
          (call $weigh (local.get $from) (i32.add (local.get $span) (i32.const 16)) (local.get $w2))
          (call $weigh (local.get $from) (i32.add (local.get $span) (i32.const 24)) (local.get $w3))))
        (local.set $span (i32.add (local.get $span) (i32.const 32)))
        (local.set $w0 (i32.add (local.get $w3) (local.get $size)))
        ;; the last addition of the lanes, one half for rounding; the two saturating narrowings clamp to a byte
        (local.set $a (i32x4.shr_s
          (i32x4.add (v128.const i32x4 0x200000 0x200000 0x200000 0x200000) (i32x4.add
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $b))
            (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $b))))
          (i32.const 22)))
        (local.set $a (i16x8.narrow_i32x4_s (local.get $a) (local.get $a)))
        (v128.store32_lane 0 (i32.add (local.get $out) (local.get $x))
          (i8x16.narrow_i16x8_u (local.get $a) (local.get $a)))
        (br_if $pixels (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 4))) (local.get $to))))
      (local.set $out (i32.add (local.get $out) (local.get $to)))
      (local.set $from (i32.add (local.get $from) (local.get $width)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Columns of a plane that is $width wide to $to rows, sixteen at a time. $spans holds each output row's first source
  ;; row and their number, $weights their weights, $taps apart.
  (func (export "vertical") (param $from i32) (param $width i32) (param $out i32) (param $to i32)
    (param $spans i32) (param $weights i32) (param $taps i32)
    (local $x i32) (local $at i32) (local $row i32) (local $w i32) (local $end i32) (local $pixels v128) (local $weight v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (loop $next
      (local.set $row (i32.add (local.get $from) (i32.mul (i32.load (local.get $spans)) (local.get $width))))
      (local.set $end (i32.add (local.get $weights) (i32.shl (i32.load offset=4 (local.get $spans)) (i32.const 2))))
      (local.set $x (i32.const 0))
      (loop $columns
        (local.set $at (i32.add (local.get $row) (local.get $x)))
        (local.set $w (local.get $weights))
        (local.set $s0 (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $s1 (local.get $s0))
        (local.set $s2 (local.get $s0))
        (local.set $s3 (local.get $s0))
        (loop $tap
          (local.set $weight (v128.load32_splat (local.get $w)))
          (local.set $pixels (i16x8.extend_low_i8x16_u (v128.load (local.get $at))))
          (local.set $s0 (i32x4.add (local.get $s0)
            (i32x4.mul (local.get $weight) (i32x4.extend_low_i16x8_u (local.get $pixels)))))
          (local.set $s1 (i32x4.add (local.get $s1)
            (i32x4.mul (local.get $weight) (i32x4.extend_high_i16x8_u (local.get $pixels)))))
          (local.set $pixels (i16x8.extend_high_i8x16_u (v128.load (local.get $at))))
          (local.set $s2 (i32x4.add (local.get $s2)
            (i32x4.mul (local.get $weight) (i32x4.extend_low_i16x8_u (local.get $pixels)))))
          (local.set $s3 (i32x4.add (local.get $s3)
            (i32x4.mul (local.get $weight) (i32x4.extend_high_i16x8_u (local.get $pixels)))))
          (local.set $at (i32.add (local.get $at) (local.get $width)))
          (br_if $tap (i32.lt_u (local.tee $w (i32.add (local.get $w) (i32.const 4))) (local.get $end))))
        ;; the two saturating narrowings clamp to a byte
        (v128.store (i32.add (local.get $out) (local.get $x)) (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $s0) (i32.const 22)) (i32x4.shr_s (local.get $s1) (i32.const 22)))
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $s2) (i32.const 22)) (i32x4.shr_s (local.get $s3) (i32.const 22)))))
        (br_if $columns (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 16))) (local.get $width))))
      (local.set $out (i32.add (local.get $out) (local.get $width)))
      (local.set $spans (i32.add (local.get $spans) (i32.const 8)))
      (local.set $weights (i32.add (local.get $weights) (i32.shl (local.get $taps) (i32.const 2))))
      (br_if $next (local.tee $to (i32.sub (local.get $to) (i32.const 1)))))))
