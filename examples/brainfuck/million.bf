[ Counts to 255 times 255 in decimal, which takes more than a million cycles, and prints where it got.
  Written for Chipwright. Licence: MIT OR Apache-2.0, at your choice.
  A digit has five cells: how often it can still grow before it wraps; itself; a flag; two zeros. ]

>>>++++++++++>>>>>++++++++++>>>>>++++++++++>>>>>++++++++++>>>>>++++++++++>>>>><<<<<<<<<<<<<<<<<<<<<<<<<<<<
-[>-[>>
  ->+>+<<[>>-]>>           one less to go; is anything left?
  [-<[-]<++++++++++        no: the digit becomes 0
    >>>>>                  and the next one grows
    ->+>+<<[>>-]>>           one less to go; is anything left?
    [-<[-]<++++++++++        no: the digit becomes 0
      >>>>>                  and the next one grows
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
      <<<<<
    >>>>]<<<<
    <<<<<
  >>>>]<<<<
<<-]<-]
>>>>>>>>>>>>>>>>>>>>>>>>++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<<<++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<<<++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<<<++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<<<<<++++++++++++++++++++++++++++++++++++++++++++++++.------------------------------------------------<
>>++++++++++.
