/** Host ports taken on a node; an address of 0.0.0.0 takes the port on every address (kube-scheduler framework HostPortInfo). */
import type { HostPort } from './pod-class.ts';

const ANY = '0.0.0.0';

const clashes = (a: HostPort, b: HostPort) =>
  a.port === b.port && a.protocol === b.protocol && (a.address === ANY || b.address === ANY || a.address === b.address);

/** True when one of the wanted ports is taken. */
export function portsClash(wanted: readonly HostPort[], taken: readonly HostPort[]): boolean {
  return wanted.some((port) => taken.some((other) => clashes(port, other)));
}
