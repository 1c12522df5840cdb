/** Tokens, passwords and authorities of gates: read from Secrets and ConfigMaps in the controller's own namespace, and from nowhere else. */
import type { Endpoint, KeyRef } from '../../engine/gates/gate.ts';
import { type KubeClient, KubeError, pathOf } from '../../kube/client.ts';

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly authority?: string;
  /** What must not show in a message. */
  readonly secrets: readonly string[];
}

interface Data {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/**
 * Read anew for every question: one small request a minute, and a rotated token is never used for longer.
 * @throws Error naming the object and the key
 */
export async function readCredentials(client: KubeClient, namespace: string, endpoint: Endpoint): Promise<Credentials> {
  const { bearer, basic, authority } = endpoint;
  const read = (kind: 'ConfigMap' | 'Secret', ref: KeyRef) => readKey(client, namespace, kind, ref);
  const pem = authority && (await read(authority.kind, authority));
  const headers: Record<string, string> = {};
  const secrets: string[] = [];
  if (bearer) {
    const token = (await read('Secret', bearer)).trim();
    checkHeader(token, 'Secret', bearer);
    headers['authorization'] = `Bearer ${token}`;
    secrets.push(token);
  } else if (basic) {
    const [username, password] = await Promise.all([read('Secret', basic.username), read('Secret', basic.password)]);
    const login = Buffer.from(`${username.trim()}:${password.replace(/\r?\n$/, '')}`).toString('base64');
    headers['authorization'] = `Basic ${login}`;
    secrets.push(login, password.trim());
  }
  return { headers, secrets: secrets.filter((each) => each !== ''), ...(pem !== undefined && { authority: pem }) };
}

/** A line break in a token would otherwise be told together with the token, by whoever refuses the header. */
function checkHeader(token: string, kind: string, { name, key }: KeyRef): void {
  if (token === '' || !/^[\x21-\x7e]+$/.test(token)) throw new Error(`${kind} ${name}: ${key} is no token`);
}

async function readKey(client: KubeClient, namespace: string, kind: 'ConfigMap' | 'Secret', ref: KeyRef): Promise<string> {
  const what = `${kind} ${namespace}/${ref.name}`;
  const object = await client
    .json<Data>({
      method: 'GET',
      path: pathOf('api/v1/namespaces', namespace, kind === 'Secret' ? 'secrets' : 'configmaps', ref.name),
    })
    .catch((error: unknown) => {
      if (!(error instanceof KubeError)) throw error;
      const why = error.code === 404 ? 'it does not exist' : error.message;
      throw new Error(`${what} cannot be read: ${why}`, { cause: error });
    });
  const text = object.data?.[ref.key];
  if (kind === 'ConfigMap') {
    const binary = object.binaryData?.[ref.key];
    if (text !== undefined) return text;
    if (binary !== undefined) return Buffer.from(binary, 'base64').toString('utf8');
  } else if (text !== undefined) return Buffer.from(text, 'base64').toString('utf8');
  throw new Error(`${what} has no key ${ref.key}`);
}
