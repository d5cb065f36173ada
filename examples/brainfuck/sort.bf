[ Sorts the bytes of its input; a zero byte or the end of the input ends it.
  Written for Chipwright. Licence: MIT OR Apache-2.0, at your choice.
  A bucket for each byte has three cells: how often it was read; a counter; a trail that leads back. ]

>>,[                            a byte in the counter of bucket 0
  [-[->>>+<<<]>+>>]             goes right; one less at each step; and leaves a trail
  <+<[-<<<]>>,                  is counted; back on the trail; next
]
>>>+[                           the counter holds the number of the bucket
  <[->.<]>[->>>+<<<]>>>+        until it wraps
]
