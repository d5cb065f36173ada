[ Writes its input backwards. A zero byte or the end of the input ends it.
  Written for Chipwright. Licence: MIT OR Apache-2.0, at your choice. ]

>,[>,]      the bytes side by side with a zero in front and one behind
<[.<]       back to the zero in front
