//! The standard chips, as recorded.

use chipwright_chips::library;
use chipwright_ir::Field;

#[test]
fn the_library_records_over_every_field() {
    for field in Field::ALL {
        assert_eq!(library(field).field(), field);
    }
}
