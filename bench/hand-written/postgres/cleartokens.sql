-- What somebody who knows the schema would write to do what Django OAuth Toolkit's command does, rows for rows.
-- Foreign keys are checked at the commit: Django's are deferred.
BEGIN;
SET LOCAL work_mem = '128MB';

-- The first three steps of the original cannot change each other's outcome, so they are one.
CREATE TEMP TABLE gone_refreshtoken (id bigint NOT NULL) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM oauth2_provider_refreshtoken AS refresh
  WHERE revoked <= :revoked_until
    OR (revoked IS NULL AND access_token_id IS NULL)
    OR (
      revoked IS NULL
      AND access_token_id IN (SELECT id FROM oauth2_provider_accesstoken WHERE expires <= :expired_until)
    )
  RETURNING id
)
INSERT INTO gone_refreshtoken SELECT id FROM gone;
ANALYZE gone_refreshtoken;

DELETE FROM oauth2_provider_accesstoken AS access
WHERE expires < :now
  AND NOT EXISTS (
    SELECT FROM oauth2_provider_refreshtoken AS refresh WHERE refresh.access_token_id = access.id
  );

-- After the deletion, so that nobody updates what goes anyway.
UPDATE oauth2_provider_accesstoken AS access SET source_refresh_token_id = NULL
FROM gone_refreshtoken AS gone
WHERE access.source_refresh_token_id = gone.id;

DELETE FROM oauth2_provider_idtoken AS id_token
WHERE expires < :now
  AND NOT EXISTS (SELECT FROM oauth2_provider_accesstoken AS access WHERE access.id_token_id = id_token.id);

DELETE FROM oauth2_provider_grant WHERE expires < :now;

COMMIT;
