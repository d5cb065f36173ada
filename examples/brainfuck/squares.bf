[ Prints the squares of 0 to 15 with three digits each, a line each, by adding odd numbers.
  Written for Chipwright. Licence: MIT OR Apache-2.0, at your choice.
  Cells: 0 rounds left; 1 odd number; 2 its copy; 3 line feed; from 5 on the square, lowest digit in front.
  A digit has five cells: how often it can still grow before it wraps; itself; a flag; two zeros. ]

++++++++++++++++>+>>++++++++++>>
++++++++++>>>>>++++++++++>>>>>++++++++++>>>>><<<<<<<<<<<<<<<
<<<<<
[
  >>>>>>>>>>>>>>>>++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<<<++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<<<++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<.<<      write the square and a line feed
  [->+>>>                     as often as the odd number says
    ->+>+<<[>>-]>>           one less to go; is anything left?
    [-<[-]<++++++++++        no: the digit becomes 0
      >>>>>                  and the next one grows
      ->+>+<<[>>-]>>           one less to go; is anything left?
      [-<[-]<++++++++++        no: the digit becomes 0
        >>>>>                  and the next one grows
        ->+>+<<[>>-]>>           one less to go; is anything left?
        [-<[-]<++++++++++        no: the digit becomes 0
        >>>>]<<<<
        <<<<<
      >>>>]<<<<
      <<<<<
    >>>>]<<<<
  <<<<]
  >[-<+>]<++                  the next odd number
  <-
]
