//! The end of a module for which there is no memory: with an answer, and without a core file that holds what it read.
//!
//! Rust ends such a program with a signal and no output, and what could change that is not stable (`set_alloc_error_hook`). So the allocator of the
//! modules is that of the system, which answers where it would return nothing. The system may also kill a program instead (the OOM killer of Linux):
//! then nobody can answer.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::process::{abort, exit};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::write;

/// What is written if memory ends before [`prepare_answer`].
const EARLY: &[u8] = b"\n{\"failed\":true,\"changed\":false,\"msg\":\"There is not enough memory to start this module. Nothing was changed.\"}\n";

static ANSWER: OnceLock<Vec<u8>> = OnceLock::new();
static IS_ENDING: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static ALLOCATOR: Answering = Answering;

/// Sees to it that no core file is written, by the kernel or by a program that the kernel gives it to (core(5)): it would hold the secrets that were read.
/// It must run before anything is read.
pub(super) fn forbid_core_files() {
    // A program that gets the core does not care for the limit, so this alone decides. It also keeps other processes of the same user out of the memory.
    let _ = set_dumpable(false);
    // The programs that the module starts may set their own.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, most);
    }
}

/// Keeps the answer that is written if memory ends. It takes no more memory then.
pub(super) fn prepare_answer(answer: Vec<u8>) {
    // The first use of standard output takes memory for its buffer.
    let _ = io::stdout();
    let _ = ANSWER.set(answer);
}

/// The allocator of the system, with an answer for Ansible if there is no memory.
struct Answering;

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: all calls go on to the allocator of the system with the arguments as they came, so its guarantees are those of this one. Where that returns
// null, the program ends. What is done then neither allocates nor unwinds.
unsafe impl GlobalAlloc for Answering {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function, which is that of the called one. The same holds below.
        found(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        found(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        found(unsafe { System.realloc(place, layout, size) })
    }
}

fn found(place: *mut u8) -> *mut u8 {
    if place.is_null() {
        end();
    }
    place
}

#[cold]
fn end() -> ! {
    // Nothing below takes memory. Should that be wrong one day, this ends it.
    if IS_ENDING.swap(true, Ordering::Relaxed) {
        abort();
    }
    let mut rest = ANSWER.get().map_or(EARLY, Vec::as_slice);
    while !rest.is_empty() {
        match write(io::stdout(), rest) {
            Ok(count) if count > 0 => rest = &rest[count..],
            _ => break,
        }
    }
    exit(1)
}
