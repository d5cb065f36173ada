[ Prints a greeting to the world and a line feed.
  Written for Chipwright. Licence: MIT OR Apache-2.0, at your choice. ]

++++++++[>+++++++++>+++++++++++++>++++>+<<<<-]  72 and 104 and 32 and 8
>.                                              H
>---.                                           e
+++++++..                                       l and l
+++.                                            o
>++++++++++++.                                  comma
------------.                                   space
<++++++++.                                      w
--------.                                       o
+++.                                            r
------.                                         l
--------.                                       d
>+.                                             exclamation mark
>++.                                            line feed
