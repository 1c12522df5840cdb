import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface User {
  readonly name: string;
  /** "system:masters" may do everything; without groups a user may do nothing until a test binds a role to it. */
  readonly groups: readonly string[];
}

/** Users of every bed. `drover` has no rights of its own: it gets those that the chart gives, no more. */
export const standardUsers: readonly User[] = [
  { name: 'admin', groups: ['system:masters'] },
  { name: 'peer', groups: ['system:masters'] },
  { name: 'bench', groups: ['system:masters'] },
  { name: 'kwok', groups: ['system:masters'] },
  { name: 'drover', groups: [] },
  { name: 'limited', groups: [] },
  { name: 'system:kube-controller-manager', groups: [] },
  { name: 'system:kube-scheduler', groups: [] },
  { name: 'system:kube-proxy', groups: [] },
];

export const files = {
  tokens: 'pki/tokens.csv',
  serviceAccountKey: 'pki/sa.key',
  serviceAccountPublicKey: 'pki/sa.pub',
  /** The API server's self-signed certificate, which is its own authority; written by the server at its first start. */
  certificate: 'pki/apiserver.crt',
} as const;

/** Writes a token for each user and the key pair that signs service account tokens. Names and groups may hold no quotes. */
export function writeCredentials(folder: string, users: readonly User[]): void {
  mkdirSync(join(folder, 'pki'), { recursive: true, mode: 0o700 });
  const rows = users.map(
    (user) => `${randomBytes(16).toString('hex')},"${user.name}","${user.name}","${user.groups.join(',')}"\n`,
  );
  writeFileSync(join(folder, files.tokens), rows.join(''), { mode: 0o600 });
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(join(folder, files.serviceAccountKey), keys.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, files.serviceAccountPublicKey), keys.publicKey);
}

/** The bearer token of a user made at start. @throws Error naming the users that there are */
export function tokenOf(folder: string, user: string): string {
  const rows = readFileSync(join(folder, files.tokens), 'utf8').trimEnd().split('\n');
  const known = rows.map((row) => ({ token: row.slice(0, row.indexOf(',')), name: row.split('"')[1] ?? '' }));
  const found = known.find(({ name }) => name === user);
  if (found) return found.token;
  const names = known.map(({ name }) => name).join(', ');
  throw new Error(
    `no user ${user} on this bed (there are ${names}): the API server reads its users at start, name it in the options' users`,
  );
}

/** Writes FOLDER/NAME.kubeconfig for a token, unless it is there, and gives its path. */
export function writeKubeconfig(folder: string, name: string, server: string, token: string): string {
  const path = join(folder, `${name.replaceAll(/[^\w.-]/g, '-')}.kubeconfig`);
  if (existsSync(path)) return path;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bed', cluster: { server, 'certificate-authority': join(folder, files.certificate) } }],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'bed', context: { cluster: 'bed', user: name } }],
    'current-context': 'bed',
  };
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}
