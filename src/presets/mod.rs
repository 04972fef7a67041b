//! Presets: the names and on-delete actions of one product's schema, as data.

mod hidp;

use crate::cascade::Action;
use crate::error::Error;
use crate::schema::ForeignKey;

/// What is known of a product's schema.
#[derive(Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// Its tables.
    pub tables: Tables,
    /// The column whose reference tells the user table.
    pub user_reference: (&'static str, &'static str),
    /// What tells which products, in which versions, a schema is of.
    pub signs: &'static [Sign],
    /// What happens on a deletion, where the database does not declare it.
    pub on_delete: &'static [OnDelete],
}

/// A table, or a column of it, that tells a version of a product. Of one product, later signs tell later versions.
#[derive(Debug)]
pub struct Sign {
    /// The table.
    pub table: &'static str,
    /// The column, if the table alone tells too little.
    pub column: Option<&'static str>,
    /// The product.
    pub product: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The tables that jobs work on.
#[derive(Debug)]
pub struct Tables {
    /// Requests to change an e-mail address.
    pub email_change_requests: &'static str,
    /// OAuth 2.0 access tokens.
    pub access_tokens: &'static str,
    /// OAuth 2.0 refresh tokens.
    pub refresh_tokens: &'static str,
    /// OpenID Connect ID tokens.
    pub id_tokens: &'static str,
    /// OAuth 2.0 authorization codes.
    pub grants: &'static str,
    /// OAuth 2.0 device authorizations (RFC 8628).
    pub device_grants: &'static str,
    /// Login sessions.
    pub sessions: &'static str,
}

/// What happens to the rows of a table when a row that they point at goes.
#[derive(Debug)]
pub struct OnDelete {
    /// The table that points; `USER` at its beginning stands for the user table.
    pub table: &'static str,
    /// The column, or the table that it references where the project chooses the column's name.
    pub by: By,
    /// What happens.
    pub action: Action,
}

/// How a foreign key is recognised.
#[derive(Debug)]
pub enum By {
    /// By its one column.
    Column(&'static str),
    /// By its pointing at the user table.
    User,
}

impl Preset {
    /// The preset of a name.
    ///
    /// # Errors
    /// [`Error::UnknownPreset`] where there is none.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        match name {
            "hidp" => Ok(&hidp::PRESET),
            _ => Err(Error::UnknownPreset { name: name.to_owned(), known: "`hidp`".to_owned() }),
        }
    }

    /// What happens to the rows of a table by one of its foreign keys.
    #[must_use]
    pub fn on_delete(&self, user_table: &str, table: &str, key: &ForeignKey) -> Option<Action> {
        self.on_delete
            .iter()
            .find(|entry| {
                let by = match entry.by {
                    By::Column(column) => key.columns.iter().eq([column]),
                    By::User => key.references == user_table,
                };
                let named = match entry.table.strip_prefix("USER") {
                    Some(rest) => table.strip_prefix(user_table) == Some(rest),
                    None => table == entry.table,
                };
                by && named
            })
            .map(|entry| entry.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Declared;

    fn key(columns: &[&str], references: &str) -> ForeignKey {
        ForeignKey {
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            references: references.to_owned(),
            target: vec!["id".into()],
            declared: Declared::NoAction,
            of_part: false,
            unchecked: false,
        }
    }

    #[test]
    fn tells_what_the_models_declare() {
        let hidp = Preset::by_name("hidp").unwrap();
        let on_delete = |table: &str, columns: &[&str], references: &str| {
            hidp.on_delete("accounts_person", table, &key(columns, references))
        };
        for (table, column, references, action) in [
            ("otp_static_statictoken", "device_id", "otp_static_staticdevice", Some(Action::Cascade)),
            ("oauth2_provider_refreshtoken", "access_token_id", "oauth2_provider_accesstoken", Some(Action::SetNull)),
            ("oauth2_provider_accesstoken", "id_token_id", "oauth2_provider_idtoken", Some(Action::Cascade)),
            // The link tables of the project's user model, whatever their column is called; not those of another model.
            ("accounts_person_groups", "person_id", "accounts_person", Some(Action::Cascade)),
            ("accounts_person_user_permissions", "x", "accounts_person", Some(Action::Cascade)),
            ("accounts_person_groups", "group_id", "auth_group", None),
            ("auth_user_groups", "user_id", "accounts_person", None),
            ("accounts_person_friends", "person_id", "accounts_person", None),
            // What the preset does not know.
            ("authtoken_token", "user_id", "accounts_person", None),
            ("django_admin_log", "content_type_id", "django_content_type", None),
        ] {
            assert_eq!(on_delete(table, &[column], references), action, "{table}.{column}");
        }
        assert_eq!(on_delete("otp_static_statictoken", &["device_id", "site_id"], "otp_static_staticdevice"), None);
    }

    #[test]
    fn knows_its_name() {
        assert_eq!(Preset::by_name("hidp").unwrap().name, "hidp");
        assert_eq!(
            Preset::by_name("HIdP").unwrap_err().to_string(),
            "there is no preset `HIdP`; the presets are `hidp`"
        );
    }
}
