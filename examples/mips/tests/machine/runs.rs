//! Runs of programs that compilers made.
