import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programPath } from './binaries.ts';

/** The chart of this checkout. */
export const chartFolder = fileURLToPath(new URL('../../charts/drover', import.meta.url));

let home: string | undefined;

/** Of its own: a person's repositories, plugins and cache have no part in a test. */
function helmHome(): string {
  if (home === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'drover-helm-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    home = folder;
  }
  return home;
}

/** Runs the beds' own helm and gives its stdout. @param kubeconfig null: without a cluster @throws Error with its stderr when it fails */
export function helm(kubeconfig: string | null, ...args: readonly string[]): Promise<string> {
  const folder = helmHome();
  const env = {
    PATH: process.env['PATH'],
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
    KUBECONFIG: kubeconfig ?? join(folder, 'none'),
  };
  return new Promise((resolve, reject) => {
    execFile(programPath('helm'), args, { env, maxBuffer: 1 << 28, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error) reject(new Error(`helm ${args.join(' ')}: ${`${stderr}${stdout}`.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
