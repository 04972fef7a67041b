-- What somebody who knows the schema would write to do what HIdP's command does, rows for rows.
-- Every foreign key is checked, at the end: Django's are deferred as well.
BEGIN IMMEDIATE;
PRAGMA defer_foreign_keys = ON;

CREATE TEMP TABLE gone_user (id PRIMARY KEY) WITHOUT ROWID;
INSERT INTO gone_user
SELECT id FROM people_user WHERE email_verified IS NULL AND date_joined < :cutoff;

CREATE TEMP TABLE gone_application (id PRIMARY KEY) WITHOUT ROWID;
INSERT INTO gone_application
SELECT id FROM oauth2_provider_application WHERE user_id IN (SELECT id FROM gone_user);

CREATE TEMP TABLE gone_refreshtoken (id PRIMARY KEY) WITHOUT ROWID;
INSERT INTO gone_refreshtoken
SELECT id FROM oauth2_provider_refreshtoken
WHERE user_id IN (SELECT id FROM gone_user) OR application_id IN (SELECT id FROM gone_application);

CREATE TEMP TABLE gone_idtoken (id PRIMARY KEY) WITHOUT ROWID;
INSERT INTO gone_idtoken
SELECT id FROM oauth2_provider_idtoken
WHERE user_id IN (SELECT id FROM gone_user) OR application_id IN (SELECT id FROM gone_application);

CREATE TEMP TABLE gone_accesstoken (id PRIMARY KEY) WITHOUT ROWID;
INSERT INTO gone_accesstoken
SELECT id FROM oauth2_provider_accesstoken
WHERE user_id IN (SELECT id FROM gone_user)
  OR application_id IN (SELECT id FROM gone_application)
  OR id_token_id IN (SELECT id FROM gone_idtoken);

DELETE FROM oauth2_provider_refreshtoken WHERE id IN (SELECT id FROM gone_refreshtoken);
DELETE FROM oauth2_provider_accesstoken WHERE id IN (SELECT id FROM gone_accesstoken);
UPDATE oauth2_provider_accesstoken SET source_refresh_token_id = NULL
WHERE source_refresh_token_id IN (SELECT id FROM gone_refreshtoken);
UPDATE oauth2_provider_refreshtoken SET access_token_id = NULL
WHERE access_token_id IN (SELECT id FROM gone_accesstoken);
DELETE FROM oauth2_provider_idtoken WHERE id IN (SELECT id FROM gone_idtoken);
DELETE FROM oauth2_provider_grant
WHERE user_id IN (SELECT id FROM gone_user) OR application_id IN (SELECT id FROM gone_application);
DELETE FROM oauth2_provider_devicegrant WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM oauth2_provider_application WHERE id IN (SELECT id FROM gone_application);

DELETE FROM otp_static_statictoken
WHERE device_id IN (SELECT id FROM otp_static_staticdevice WHERE user_id IN (SELECT id FROM gone_user));
DELETE FROM otp_static_staticdevice WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM otp_totp_totpdevice WHERE user_id IN (SELECT id FROM gone_user);

DELETE FROM hidp_accounts_emailchangerequest WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM hidp_federated_openidconnection WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM django_admin_log WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM people_user_groups WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM people_user_user_permissions WHERE user_id IN (SELECT id FROM gone_user);
DELETE FROM people_user WHERE id IN (SELECT id FROM gone_user);

COMMIT;
