/**
 * Tokens of service accounts in the simulated cluster. They say who somebody is and prove nothing: whoever reaches the server could as
 * well show none.
 */
import { administrator, type User } from './door.ts';

interface Account {
  readonly namespace: string;
  readonly name: string;
}

const PREFIX = 'simulated.';

export const tokenFor = (account: Account) => PREFIX + Buffer.from(JSON.stringify(account)).toString('base64url');

function accountIn(token: string): Account | undefined {
  if (!token.startsWith(PREFIX)) return undefined;
  try {
    const { namespace, name } = JSON.parse(Buffer.from(token.slice(PREFIX.length), 'base64url').toString('utf8')) as Account;
    return { namespace, name };
  } catch {
    return undefined; // some other token, which is as good as none
  }
}

/** Who a request comes from; without a token of ours it is the administrator. */
export function userOf(authorization: string | undefined, impersonate: string | undefined, groups: readonly string[]): User {
  if (impersonate) return { name: impersonate, groups: [...groups, 'system:authenticated'] };
  const [, token = ''] = /^Bearer\s+(\S+)$/i.exec(authorization ?? '') ?? [];
  const account = accountIn(token);
  if (!account) return administrator;
  const { namespace, name } = account;
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}
