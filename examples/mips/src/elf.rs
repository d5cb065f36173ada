//! Programs from ELF files.
//!
//! What the headers say is compared with the file before anything is made of it: a file of `n` bytes takes memory
//! proportional to `n`, whatever its headers promise.

use object::LittleEndian;
use object::elf::{self, FileHeader32, ProgramHeader32};
use object::read::elf::{FileHeader, ProgramHeader, Sym};

use crate::program::{Program, ProgramError, Segment, Symbol};

/// Longer names of symbols are cut.
const NAME: usize = 256;

/// Why a file is no program of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// The file does not begin as ELF files do.
    #[error("this is no ELF file")]
    Magic,
    /// The file is for a machine of another size.
    #[error("this is a 64-bit program, 32-bit ones can be executed; build with -mabi=32")]
    Class,
    /// The file is for a big-endian machine.
    #[error("this is a big-endian program, little-endian ones can be executed; build with -EL")]
    BigEndian,
    /// The file is for another machine.
    #[error("this is a program for machine {machine}, MIPS is machine 8")]
    Machine {
        /// The machine.
        machine: u16,
    },
    /// The file is no program, or one that is to be relocated.
    #[error(
        "this is an ELF file of type {kind}, executables are of type 2; link with -static and without -pie"
    )]
    Kind {
        /// The type.
        kind: u16,
    },
    /// The file ends too early.
    #[error("the file has {len} bytes, its {what} should be in bytes {offset} to {end}")]
    Truncated {
        /// What is missing.
        what: &'static str,
        /// Where it should begin.
        offset: u64,
        /// Where it should end.
        end: u64,
        /// The length of the file.
        len: usize,
    },
    /// The headers have another length than those of this format.
    #[error(
        "the file has {count} program headers of {size} bytes, expected at least one, of 32 bytes"
    )]
    Headers {
        /// Their number.
        count: u16,
        /// Their length.
        size: u16,
    },
    /// The segments share bytes of the file.
    #[error("the segments take {bytes} bytes of a file of {len}")]
    Shared {
        /// What the segments take.
        bytes: u64,
        /// The length of the file.
        len: usize,
    },
    /// The segments are no program.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Program {
    /// The program of an ELF file: 32 bits, little-endian, for MIPS, linked to fixed addresses.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the file. Words that are no instructions are none of it, unless they are executed.
    pub fn from_elf(file: &[u8]) -> Result<Self, ElfError> {
        let header = header(file)?;
        let mut segments = Vec::new();
        let mut taken = 0;
        for segment in program_headers(file, header)? {
            if segment.p_type(LittleEndian) != elf::PT_LOAD {
                continue;
            }
            let (offset, size) = segment.file_range(LittleEndian);
            // Linkers say anything of where a segment without bytes in the file begins there.
            let offset = if size == 0 { 0 } else { offset };
            let bytes = range(file, "segment", offset, size)?;
            taken += size;
            if taken > file.len() as u64 {
                return Err(ElfError::Shared { bytes: taken, len: file.len() });
            }
            segments.push(Segment {
                address: segment.p_vaddr(LittleEndian),
                bytes: bytes.to_vec(),
                size: segment.p_memsz(LittleEndian),
                executable: segment.p_flags(LittleEndian) & elf::PF_X != elf::ProgramFlags(0),
            });
        }
        Ok(Self::new(header.e_entry(LittleEndian), segments, symbols(file, header))?)
    }
}

/// Bytes of the file.
fn range<'a>(
    file: &'a [u8],
    what: &'static str,
    offset: u64,
    size: u64,
) -> Result<&'a [u8], ElfError> {
    let end = offset.saturating_add(size);
    let truncated = ElfError::Truncated { what, offset, end, len: file.len() };
    let [start, stop] = [offset, end].map(usize::try_from);
    let (Ok(start), Ok(stop)) = (start, stop) else { return Err(truncated) };
    file.get(start..stop).ok_or(truncated)
}

/// The header, if it is that of a program for this machine.
fn header(file: &[u8]) -> Result<&FileHeader32<LittleEndian>, ElfError> {
    if file.get(..4) != Some(&elf::ELFMAG) {
        return Err(ElfError::Magic);
    }
    // The class says how long the header is, so it comes first.
    let length = size_of::<FileHeader32<LittleEndian>>();
    let truncated =
        ElfError::Truncated { what: "header", offset: 0, end: length as u64, len: file.len() };
    let (class, data) = (file.get(4), file.get(5));
    if class == Some(&elf::ELFCLASS64.0) {
        return Err(ElfError::Class);
    }
    if data == Some(&elf::ELFDATA2MSB.0) {
        return Err(ElfError::BigEndian);
    }
    if file.len() < length {
        return Err(truncated);
    }
    let header = FileHeader32::<LittleEndian>::parse(file).map_err(|_| ElfError::Magic)?;
    let (machine, kind) = (header.e_machine(LittleEndian), header.e_type(LittleEndian));
    if machine != elf::EM_MIPS {
        return Err(ElfError::Machine { machine: machine.0 });
    }
    if kind != elf::ET_EXEC {
        return Err(ElfError::Kind { kind: kind.0 });
    }
    Ok(header)
}

fn program_headers<'a>(
    file: &'a [u8],
    header: &FileHeader32<LittleEndian>,
) -> Result<&'a [ProgramHeader32<LittleEndian>], ElfError> {
    let (count, size) = (header.e_phnum(LittleEndian), header.e_phentsize(LittleEndian));
    let offset = u64::from(header.e_phoff(LittleEndian));
    // 0xffff says that the number is elsewhere: no program has so many.
    if count == 0 || count == 0xffff || size != 32 {
        return Err(ElfError::Headers { count, size });
    }
    range(file, "program headers", offset, u64::from(count) * u64::from(size))?;
    header.program_headers(LittleEndian, file).map_err(|_| ElfError::Headers { count, size })
}

/// The symbols of code: none if the file has no table of symbols, or one that cannot be read.
fn symbols(file: &[u8], header: &FileHeader32<LittleEndian>) -> Vec<Symbol> {
    let table = header
        .sections(LittleEndian, file)
        .and_then(|sections| sections.symbols(LittleEndian, file, elf::SHT_SYMTAB));
    let Ok(table) = table else { return Vec::new() };
    let code = table.iter().filter(|symbol| {
        let is_code = matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_NOTYPE);
        is_code && !symbol.is_undefined(LittleEndian) && !symbol.is_absolute(LittleEndian)
    });
    let symbols = code.filter_map(|symbol| {
        let name = symbol.name(LittleEndian, table.strings()).ok()?;
        let name = String::from_utf8_lossy(&name[..name.len().min(NAME)]).into_owned();
        (!name.is_empty()).then(|| Symbol { address: symbol.st_value(LittleEndian), name })
    });
    symbols.collect()
}
