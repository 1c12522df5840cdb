/** The signs of life of the kubelets: a Lease that is renewed, and now and then the Node's status. */
import type { Millis } from '../../lib/clock.ts';
import type { Api } from '../apiserver/api.ts';
import { leases, nodes } from '../apiserver/kinds.ts';
import type { Lease, Node } from '../kubernetes.ts';
import { microTimestamp, timestamp } from '../timestamp.ts';
import type { Host } from './host.ts';
import { heartbeat, READY } from './node-status.ts';
import type { Timers } from './timers.ts';

export const LEASE_NAMESPACE = 'kube-node-lease';

/**
 * On a Lease: it counts as renewed all the time, without being written. Virtual runs of thousands of nodes and hours do without half a million
 * renewals that say nothing; when the node falls silent the mark goes, and the lease is as old as any other.
 */
const ALIVE = 'sim.drover.dev/alive';

const RENEW_MS: Millis = 10_000;
const REPORT_MS: Millis = 300_000;

export interface Heartbeats {
  begin(host: Host): void;
  /** From now on it is silent. */
  end(host: Host): void;
  /** Its Node is gone, and its Lease with it. */
  forget(host: Host): void;
}

const beatOf = (host: Host) => `${host.name} heartbeat`;

export function createHeartbeats(api: Api, timers: Timers, written: boolean): Heartbeats {
  const { clock, random } = api;

  function renew(host: Host, alive: boolean): void {
    const spec = {
      holderIdentity: host.name,
      leaseDurationSeconds: 40,
      renewTime: microTimestamp(clock.now()),
    };
    const annotations = alive && !written ? { [ALIVE]: 'true' } : undefined;
    const set = (lease: Lease): Lease => {
      const { annotations: before = {}, ...metadata } = lease.metadata;
      const { [ALIVE]: _, ...others } = before;
      const next = { ...others, ...annotations };
      return { ...lease, metadata: { ...metadata, ...(Object.keys(next).length > 0 && { annotations: next }) }, spec };
    };
    if (api.modify(leases, LEASE_NAMESPACE, host.name, set, { fieldManager: 'kubelet' }) || !alive) return;
    const node = api.get(nodes, '', host.name);
    if (!node) return;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: host.name, uid: node.metadata.uid }];
    const metadata = { name: host.name, namespace: LEASE_NAMESPACE, ownerReferences, ...(annotations && { annotations }) };
    api.create(leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, { fieldManager: 'kubelet' });
  }

  function report(host: Host): void {
    const now = timestamp(clock.now());
    api.modify(nodes, '', host.name, (node: Node) => heartbeat(node, READY, now), {
      subresource: 'status',
      fieldManager: 'kubelet',
    });
  }

  function repeat(host: Host, every: Millis, act: (host: Host) => void): void {
    // Jittered, or all nodes of a cluster would beat in the same instant for ever.
    timers.after(beatOf(host), every * (1 + 0.04 * random()), () => {
      act(host);
      repeat(host, every, act);
    });
  }

  return {
    forget: (host) => timers.cancel(beatOf(host)),
    begin(host) {
      timers.cancel(beatOf(host));
      renew(host, true);
      if (!written) return;
      repeat(host, RENEW_MS, (each) => renew(each, true));
      repeat(host, REPORT_MS, report);
    },
    end(host) {
      timers.cancel(beatOf(host));
      if (!written) renew(host, false);
    },
  };
}
