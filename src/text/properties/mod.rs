//! `.properties` files as `java.util.Properties` loads them from bytes, and edits that keep the rest.
//!
//! The format is that of `Properties.load(InputStream)` in the Java SE documentation; where the text leaves room, the class of
//! `OpenJDK` is followed, and the property tests compare with it.

mod editor;
mod escape;
mod reader;
mod template;

pub use editor::{DanglingContinuation, Editor};
pub use escape::JavaString;
pub use reader::{Comment, Document, Entry, Item, Items, MalformedEscape};
pub use template::Template;
