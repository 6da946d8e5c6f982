//! What proves to a node that the caller may ask it.

use std::fmt;

/// User and password of a node's RPC interface. Neither is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// Takes a user and a password as configured in the node.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }

    /// Reads the content of a node's `.cookie` file, `USER:PASSWORD`; `None` where it has another form.
    pub fn from_cookie(content: &str) -> Option<Self> {
        let (user, password) = content.trim().split_once(':')?;
        Some(Self::new(user, password))
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_a_cookie_and_never_shown() {
        let cookie = Credentials::from_cookie("__cookie__:c0ffee\n").unwrap();
        assert_eq!(cookie, Credentials::new("__cookie__", "c0ffee"));
        assert_eq!(Credentials::from_cookie("c0ffee"), None);
        let shown = format!("{cookie:?}");
        assert!(
            !shown.contains("cookie__") && !shown.contains("c0ffee"),
            "{shown}"
        );
    }
}
