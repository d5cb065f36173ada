[ Writes its input. A zero byte or the end of the input ends it.
  Written for Chipwright. Licence: MIT OR Apache-2.0, at your choice. ]

,[.,]
