//! The hansel-report/1 model and its formats.
