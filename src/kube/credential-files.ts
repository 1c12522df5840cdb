/** Credentials that stand in files which somebody else renews: a service account's token, a kubelet's client certificate. */
import { readFile } from 'node:fs/promises';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Credential, CredentialSource } from './access.ts';

/** A projected token lives for an hour or more and is renewed at 80 % of it. */
const REREAD_MS = 60_000;

export interface CredentialFiles {
  readonly token?: string;
  readonly certificate?: string;
  readonly key?: string;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

/** Reads the files, again every minute and after a 401. `fixed` holds what does not stand in files. */
export function fileCredential(owner: string, files: CredentialFiles, fixed: Credential, clock: Clock): CredentialSource {
  let cached: { readonly credential: Credential; readonly at: Millis } | undefined;

  const read = async (): Promise<Credential> => {
    const token = files.token === undefined ? undefined : (await readText(files.token)).trim();
    if (token === '') throw new Error(`${files.token} is empty`);
    const certificate = files.certificate === undefined ? undefined : await readText(files.certificate);
    const key = files.key === undefined ? undefined : await readText(files.key);
    return {
      ...fixed,
      ...(token === undefined ? {} : { token }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(key === undefined ? {} : { key }),
    };
  };

  return {
    owner,
    async current() {
      if (cached && clock.now() - cached.at < REREAD_MS && clock.now() >= cached.at) return cached.credential;
      try {
        cached = { credential: await read(), at: clock.now() };
      } catch (error) {
        // In the middle of a renewal the file may be missing for an instant; the old token is good for minutes more.
        if (!cached) throw error;
      }
      return cached.credential;
    },
    async renew(rejected) {
      const credential = await read();
      cached = { credential, at: clock.now() };
      return credential.token !== rejected.token || credential.certificate !== rejected.certificate;
    },
  };
}
