# The start of every guest: its own stack, so that nothing depends on what the environment puts on one.
    .set noreorder
    .section .text.start, "ax"
    .globl __start
    .type __start, @function
__start:
    la      $gp, _gp
    la      $sp, __stack_top
    addiu   $sp, $sp, -32
    move    $fp, $zero
    move    $ra, $zero
    jal     main
    nop
    jal     guest_exit
    move    $a0, $v0
    .size __start, . - __start

# int save(context), as setjmp: returns 0, and again what `resume` is given.
    .section .text.save, "ax"
    .globl save
    .type save, @function
save:
    sw      $s0, 0($a0)
    sw      $s1, 4($a0)
    sw      $s2, 8($a0)
    sw      $s3, 12($a0)
    sw      $s4, 16($a0)
    sw      $s5, 20($a0)
    sw      $s6, 24($a0)
    sw      $s7, 28($a0)
    sw      $sp, 32($a0)
    sw      $fp, 36($a0)
    sw      $ra, 40($a0)
    jr      $ra
    move    $v0, $zero
    .size save, . - save

# void resume(context, value), as longjmp.
    .section .text.resume, "ax"
    .globl resume
    .type resume, @function
resume:
    lw      $s0, 0($a0)
    lw      $s1, 4($a0)
    lw      $s2, 8($a0)
    lw      $s3, 12($a0)
    lw      $s4, 16($a0)
    lw      $s5, 20($a0)
    lw      $s6, 24($a0)
    lw      $s7, 28($a0)
    lw      $sp, 32($a0)
    lw      $fp, 36($a0)
    lw      $ra, 40($a0)
    jr      $ra
    move    $v0, $a1
    .size resume, . - resume
