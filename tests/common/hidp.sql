-- The tables of an HIdP project that the jobs touch, as Django's migrations declare them on SQLite, reduced to the
-- columns that matter to a removal. `people` is the project's own user table.
CREATE TABLE people (
  id char(32) NOT NULL PRIMARY KEY,
  email_verified datetime NULL,
  date_joined datetime NOT NULL
);
CREATE TABLE people_groups (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  user_id char(32) NOT NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE hidp_accounts_emailchangerequest (
  id char(32) NOT NULL PRIMARY KEY,
  confirmed_by_current_email bool NOT NULL,
  confirmed_by_proposed_email bool NOT NULL,
  created_at datetime NOT NULL,
  user_id char(32) NOT NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE otp_static_staticdevice (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  user_id char(32) NOT NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE otp_static_statictoken (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  device_id integer NOT NULL REFERENCES otp_static_staticdevice (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE oauth2_provider_application (
  id bigint NOT NULL PRIMARY KEY,
  user_id char(32) NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE oauth2_provider_idtoken (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  expires datetime NOT NULL,
  application_id bigint NULL REFERENCES oauth2_provider_application (id) DEFERRABLE INITIALLY DEFERRED,
  user_id char(32) NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE oauth2_provider_accesstoken (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  expires datetime NOT NULL,
  application_id bigint NULL REFERENCES oauth2_provider_application (id) DEFERRABLE INITIALLY DEFERRED,
  user_id char(32) NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED,
  id_token_id bigint NULL UNIQUE REFERENCES oauth2_provider_idtoken (id) DEFERRABLE INITIALLY DEFERRED,
  source_refresh_token_id bigint NULL UNIQUE REFERENCES oauth2_provider_refreshtoken (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE oauth2_provider_refreshtoken (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  revoked datetime NULL,
  application_id bigint NULL REFERENCES oauth2_provider_application (id) DEFERRABLE INITIALLY DEFERRED,
  user_id char(32) NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED,
  access_token_id bigint NULL UNIQUE REFERENCES oauth2_provider_accesstoken (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE oauth2_provider_grant (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  expires datetime NOT NULL
);
CREATE TABLE oauth2_provider_devicegrant (
  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  expires datetime NOT NULL
);
CREATE TABLE django_session (
  session_key varchar(40) NOT NULL PRIMARY KEY,
  expire_date datetime NOT NULL
);
