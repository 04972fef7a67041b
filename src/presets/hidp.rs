//! HIdP 2.0 with Django OAuth Toolkit, django-otp, Django's admin, auth and sessions: the actions that their models
//! declare (`on_delete` in each model), which Django performs itself and does not tell the database.

use super::By::{Column, User};
use super::{OnDelete, Preset, Sign, Tables};
use crate::cascade::Action::{self, Cascade, SetNull};

const fn on(table: &'static str, column: &'static str, action: Action) -> OnDelete {
    OnDelete { table, by: Column(column), action }
}

/// The link tables of the user model: their column is named after the project's own model.
const fn on_user(table: &'static str) -> OnDelete {
    OnDelete { table, by: User, action: Cascade }
}

const fn sign(table: &'static str, column: Option<&'static str>, product: &'static str, version: &'static str) -> Sign {
    Sign { table, column, product, version }
}

const TOOLKIT: &str = "Django OAuth Toolkit";

pub(super) static PRESET: Preset = Preset {
    name: "hidp",
    tables: Tables {
        email_change_requests: "hidp_accounts_emailchangerequest",
        access_tokens: "oauth2_provider_accesstoken",
        refresh_tokens: "oauth2_provider_refreshtoken",
        id_tokens: "oauth2_provider_idtoken",
        grants: "oauth2_provider_grant",
        device_grants: "oauth2_provider_devicegrant",
        sessions: "django_session",
    },
    user_reference: ("hidp_accounts_emailchangerequest", "user_id"),
    signs: &[
        sign("hidp_accounts_emailchangerequest", None, "HIdP", "2.0 or later"),
        sign("oauth2_provider_accesstoken", None, TOOLKIT, "before 3.0"),
        sign("oauth2_provider_accesstoken", Some("token_checksum"), TOOLKIT, "3.0 or later"),
        sign("oauth2_provider_devicegrant", None, TOOLKIT, "3.1 or later"),
    ],
    on_delete: &[
        on("django_admin_log", "user_id", Cascade),
        on("hidp_accounts_emailchangerequest", "user_id", Cascade),
        on("hidp_federated_openidconnection", "user_id", Cascade),
        on("oauth2_provider_accesstoken", "user_id", Cascade),
        on("oauth2_provider_accesstoken", "application_id", Cascade),
        on("oauth2_provider_accesstoken", "id_token_id", Cascade),
        on("oauth2_provider_accesstoken", "source_refresh_token_id", SetNull),
        on("oauth2_provider_application", "user_id", Cascade),
        on("oauth2_provider_devicegrant", "user_id", Cascade),
        on("oauth2_provider_grant", "user_id", Cascade),
        on("oauth2_provider_grant", "application_id", Cascade),
        on("oauth2_provider_idtoken", "user_id", Cascade),
        on("oauth2_provider_idtoken", "application_id", Cascade),
        on("oauth2_provider_refreshtoken", "user_id", Cascade),
        on("oauth2_provider_refreshtoken", "application_id", Cascade),
        on("oauth2_provider_refreshtoken", "access_token_id", SetNull),
        on("otp_email_emaildevice", "user_id", Cascade),
        on("otp_hotp_hotpdevice", "user_id", Cascade),
        on("otp_static_staticdevice", "user_id", Cascade),
        on("otp_static_statictoken", "device_id", Cascade),
        on("otp_totp_totpdevice", "user_id", Cascade),
        on_user("USER_groups"),
        on_user("USER_user_permissions"),
    ],
};
