-- What somebody who knows the schema would write to do what Django OAuth Toolkit's command does, rows for rows.
-- Every foreign key is checked, at the end: Django's are deferred as well.
BEGIN IMMEDIATE;
PRAGMA defer_foreign_keys = ON;

-- The first three steps of the original cannot change each other's outcome, so they are one.
CREATE TEMP TABLE gone_refreshtoken (id PRIMARY KEY) WITHOUT ROWID;
INSERT INTO gone_refreshtoken
SELECT id FROM oauth2_provider_refreshtoken AS refresh
WHERE revoked <= :revoked_until
  OR (revoked IS NULL AND access_token_id IS NULL)
  OR (
    revoked IS NULL
    AND EXISTS (
      SELECT 1 FROM oauth2_provider_accesstoken AS access
      WHERE access.id = refresh.access_token_id AND access.expires <= :expired_until
    )
  );

UPDATE oauth2_provider_accesstoken SET source_refresh_token_id = NULL
WHERE source_refresh_token_id IN (SELECT id FROM gone_refreshtoken);
DELETE FROM oauth2_provider_refreshtoken WHERE id IN (SELECT id FROM gone_refreshtoken);

DELETE FROM oauth2_provider_accesstoken
WHERE expires < :now
  AND NOT EXISTS (
    SELECT 1 FROM oauth2_provider_refreshtoken AS refresh
    WHERE refresh.access_token_id = oauth2_provider_accesstoken.id
  );

DELETE FROM oauth2_provider_idtoken
WHERE expires < :now
  AND NOT EXISTS (
    SELECT 1 FROM oauth2_provider_accesstoken AS access WHERE access.id_token_id = oauth2_provider_idtoken.id
  );

DELETE FROM oauth2_provider_grant WHERE expires < :now;

COMMIT;
