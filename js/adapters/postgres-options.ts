/** How a store on PostgreSQL uses its connections. */
export interface PostgresOptions {
  /**
   * Whether a connection can be kept for what lives as long as it does, such as the lock that keeps runs of a job apart.
   * False for what gives each transaction another connection: Hyperdrive, PgBouncer in its transaction mode. Default true.
   */
  readonly session?: boolean;
  /**
   * Whether, where no connection is kept, a row of the table `idp_janitor_leases` keeps runs of a job apart; the first run makes
   * the table, and each needs `SELECT`, `INSERT` and `UPDATE` on it. Default true.
   */
  readonly rowLease?: boolean;
}
