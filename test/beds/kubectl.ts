import { execFile } from 'node:child_process';
import { programPath } from './binaries.ts';

/** Runs the beds' own kubectl and gives its stdout. @throws Error with the arguments and stderr when it fails */
export function kubectl(kubeconfig: string, ...args: readonly string[]): Promise<string> {
  return run(kubeconfig, args);
}

/** `kubectl apply -f -` with these objects. */
export function apply(kubeconfig: string, ...objects: readonly object[]): Promise<string> {
  return run(kubeconfig, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

function run(kubeconfig: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      programPath('kubectl'),
      [`--kubeconfig=${kubeconfig}`, ...args],
      { maxBuffer: 1 << 28, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error.message}`));
        else resolve(stdout);
      },
    );
    child.stdin?.on('error', () => {}); // EPIPE when kubectl fails before it reads; its own message says why
    child.stdin?.end(input);
  });
}
