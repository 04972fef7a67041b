-- What somebody who knows the schema would write to do what HIdP's command does, rows for rows.
-- Foreign keys are checked at the commit: Django's are deferred.
BEGIN;
SET LOCAL work_mem = '128MB';

CREATE TEMP TABLE gone_user ON COMMIT DROP AS
SELECT id FROM people_user WHERE email_verified IS NULL AND date_joined < :cutoff;
ANALYZE gone_user;

CREATE TEMP TABLE gone_application ON COMMIT DROP AS
SELECT id FROM oauth2_provider_application WHERE user_id IN (SELECT id FROM gone_user);
ANALYZE gone_application;

CREATE TEMP TABLE gone_refreshtoken (id bigint NOT NULL) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM oauth2_provider_refreshtoken
  WHERE user_id IN (SELECT id FROM gone_user) OR application_id IN (SELECT id FROM gone_application)
  RETURNING id
)
INSERT INTO gone_refreshtoken SELECT id FROM gone;
ANALYZE gone_refreshtoken;

CREATE TEMP TABLE gone_idtoken (id bigint NOT NULL) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM oauth2_provider_idtoken
  WHERE user_id IN (SELECT id FROM gone_user) OR application_id IN (SELECT id FROM gone_application)
  RETURNING id
)
INSERT INTO gone_idtoken SELECT id FROM gone;
ANALYZE gone_idtoken;

CREATE TEMP TABLE gone_accesstoken (id bigint NOT NULL) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM oauth2_provider_accesstoken
  WHERE user_id IN (SELECT id FROM gone_user)
    OR application_id IN (SELECT id FROM gone_application)
    OR id_token_id IN (SELECT id FROM gone_idtoken)
  RETURNING id
)
INSERT INTO gone_accesstoken SELECT id FROM gone;
ANALYZE gone_accesstoken;

-- After the deletions, so that nobody updates what goes anyway.
UPDATE oauth2_provider_accesstoken AS access SET source_refresh_token_id = NULL
FROM gone_refreshtoken AS gone
WHERE access.source_refresh_token_id = gone.id;
UPDATE oauth2_provider_refreshtoken AS refresh SET access_token_id = NULL
FROM gone_accesstoken AS gone
WHERE refresh.access_token_id = gone.id;

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

-- The checks ask 13 tables for each user, and read small ones from end to end unless they are told not to.
SET LOCAL enable_seqscan = off;
COMMIT;
