-- What people say about accounts.

-- paused_accounts: Accounts that a person has paused.
SELECT a.sender, p.since, p.why FROM paused_accounts AS p JOIN accounts AS a ON a.id = p.account;

-- pause_account: A person keeps an account's mail back.
INSERT INTO paused_accounts (account, since, why) VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE SET why = excluded.why;

-- resume_account: He lets it go.
DELETE FROM paused_accounts WHERE account = ?;
