/** An observer that shares no code with what it observes: its own watches, straight from the API server. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createApiCall } from '../beds/api-call.ts';
import type { Bed } from '../beds/bed.ts';
import { files, tokenOf } from '../beds/credentials.ts';

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

/**
 * Tells what is in a collection now, then every change. Resolves when all that is there has been told.
 * @returns a function that ends it. @throws Error there when the server has ended it before: something may have been missed
 */
export async function observe<T>(
  bed: Pick<Bed, 'folder' | 'server'>,
  path: string,
  see: (event: WatchEvent<T>) => void,
): Promise<() => void> {
  const [token, certificate] = [tokenOf(bed.folder, 'admin'), join(bed.folder, files.certificate)];
  const { metadata, items } = await createApiCall(bed.server, token, certificate)<List<T>>({ path });
  for (const object of items) see({ type: 'ADDED', object });
  return new Promise((resolve, reject) => {
    let problem: Error | undefined;
    let isOver = false;
    const fail = (error: Error) => {
      if (isOver) return;
      problem = error;
      reject(error);
    };
    const sent = request(
      new URL(`${path}?watch=true&timeoutSeconds=900&resourceVersion=${metadata.resourceVersion}`, bed.server),
      { headers: { authorization: `Bearer ${token}` }, ca: readFileSync(certificate) },
      (answer) => {
        if (answer.statusCode !== 200) return fail(new Error(`watch of ${path}: ${answer.statusCode}`));
        let rest = '';
        answer.setEncoding('utf8').on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) see(JSON.parse(line) as WatchEvent<T>);
        });
        answer.on('error', fail);
        answer.on('end', () => fail(new Error(`the watch of ${path} ended`)));
        resolve(() => {
          isOver = true;
          sent.destroy();
          if (problem) throw problem;
        });
      },
    );
    sent.on('error', fail);
    sent.end();
  });
}
