/**
 * Leader election on a coordination.k8s.io/v1 Lease, by the rules of client-go (tools/leaderelection): a record's age is measured from when
 * this process saw it change, never from the times written in it, so clocks that differ between machines do no harm.
 */
import type { Random } from '../lib/backoff.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type KubeClient, KubeError, pathOf } from './client.ts';

export interface ElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Must differ between processes, also between two starts of one pod: two with one identity would both lead. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** After so long without a change of the record another may take over. Default 15 s. */
  readonly leaseDurationMs?: Millis;
  /** After so long without a renewal we stop leading by ourselves. Default 10 s; must be below `leaseDurationMs`. */
  readonly renewDeadlineMs?: Millis;
  /** Between two tries. Default 2 s; followers add up to 1.2 times this. */
  readonly retryPeriodMs?: Millis;
  readonly onGained: (term: number) => void;
  readonly onLost: () => void;
}

export interface Election {
  /** False from the renew deadline on, even while a renewal hangs. Ask before every change to the cluster. */
  isLeader(): boolean;
  /** Grows with every change of leadership, also when the same process leads again; 0 before the first. A fencing token. */
  term(): number;
  /** Ends the election; calls `onLost` when leading. `release` (default true) lets the next leader in at once. */
  stop(release?: boolean): Promise<void>;
}

interface LeaseSpec {
  holderIdentity?: string | null;
  leaseDurationSeconds?: number | null;
  acquireTime?: string | null;
  renewTime?: string | null;
  leaseTransitions?: number | null;
}

interface Lease {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace: string; resourceVersion?: string };
  spec?: LeaseSpec;
}

/** coordination/v1 wants MicroTime: six digits. */
function microTime(at: Millis): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

/** Starts trying at once. @throws RangeError when the periods contradict each other. */
export function electLeader(options: ElectionOptions): Election {
  const { client, namespace, name, identity, clock, log, random } = options;
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  if (!(leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs * 1.2)) {
    throw new RangeError(`lease ${name}: lease duration > renew deadline > 1.2 x retry period does not hold`);
  }
  const collection = pathOf('apis', 'coordination.k8s.io', 'v1', 'namespaces', namespace, 'leases');
  const stopping = new AbortController();
  // Two tries fit before the deadline: one dead socket must not cost the leadership.
  const limits = { timeoutMs: renewDeadlineMs / 2, signal: stopping.signal };

  /** The record as last seen. */
  let observed: Lease | undefined;
  /**
   * Nobody changed the record for its whole duration. A timer says so, not the difference of two readings of the clock: a clock that is
   * set forward would make every follower take the lease from a living leader.
   */
  let expired = false;
  let cancelExpiry: () => void = () => undefined;
  let leading = false;
  let term = 0;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let cancelDeadline: () => void = () => undefined;

  const isLeader = () => leading && clock.now() < renewedAt + renewDeadlineMs;

  const lose = (why: string) => {
    if (!leading) return;
    leading = false;
    cancelDeadline();
    log.debug('leadership lost', { lease: name, identity, term, why });
    options.onLost();
  };

  const gainOrKeep = (sentAt: Millis, lease: Lease) => {
    renewedAt = sentAt;
    cancelDeadline();
    cancelDeadline = clock.after(Math.max(0, renewedAt + renewDeadlineMs - clock.now()), () =>
      lose('not renewed before the deadline'),
    );
    if (leading) return;
    leading = true;
    term = lease.spec?.leaseTransitions ?? 0;
    log.debug('leadership gained', { lease: name, identity, term });
    options.onGained(term);
  };

  const observe = (lease: Lease) => {
    if (observed?.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    observed = lease;
    expired = false;
    cancelExpiry();
    const seconds = lease.spec?.leaseDurationSeconds;
    cancelExpiry = clock.after(seconds ? seconds * 1000 : leaseDurationMs, () => {
      expired = true;
    });
  };

  const write = (lease: Lease): Promise<Lease> => {
    const created = lease.metadata.resourceVersion === undefined;
    return client.json<Lease>({
      method: created ? 'POST' : 'PUT',
      path: created ? collection : `${collection}${pathOf(name)}`,
      body: { ...lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      // Guarded by the resourceVersion: a repetition that was already done answers 409, and the record read next shows us as the holder.
      idempotent: !created,
      ...limits,
    });
  };

  /** One try to take or to renew. False: somebody else holds it. @throws KubeError */
  const tryOnce = async (): Promise<boolean> => {
    if (!leading) {
      try {
        observe(await client.json<Lease>({ method: 'GET', path: `${collection}${pathOf(name)}`, ...limits }));
      } catch (error) {
        if (!(error instanceof KubeError && error.code === 404)) throw error;
        observed = undefined;
      }
    }
    const spec = observed?.spec;
    const holder = spec?.holderIdentity ?? '';
    if (holder !== '' && holder !== identity && !expired) return false;
    const sentAt = clock.now();
    const wasLeading = leading;
    const next: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: leading ? (spec?.acquireTime ?? microTime(sentAt)) : microTime(sentAt),
      renewTime: microTime(sentAt),
      // Counted also when we take it back from ourselves: in between we did not lead, so the term must be another one.
      leaseTransitions: Math.max(spec?.leaseTransitions ?? 0, term) + (leading ? 0 : 1),
    };
    const written = await write({ ...observed, metadata: observed?.metadata ?? { name, namespace }, spec: next });
    observe(written);
    // The deadline passed while the write was under way: we have stopped leading in this term, so the next try takes a new one.
    if (stopping.signal.aborted || wasLeading !== leading || clock.now() >= sentAt + renewDeadlineMs) return false;
    gainOrKeep(sentAt, written);
    return true;
  };

  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        const held = await tryOnce();
        if (!held) lose('another holds the lease');
      } catch (error) {
        if (stopping.signal.aborted) return;
        // Somebody wrote it in between: what is cached is old. The next try reads first.
        if (error instanceof KubeError && (error.code === 409 || error.code === 404)) await reread();
        else log.warn('lease not renewed', { lease: name, error: error instanceof Error ? error.message : String(error) });
      }
      const wait = isLeader() ? retryPeriodMs : retryPeriodMs * (1 + 1.2 * random());
      try {
        await clock.sleep(wait, stopping.signal);
      } catch {
        return; // stopped
      }
    }
  };

  /** After a conflict while leading: our own write whose answer was lost, or a successor. */
  const reread = async () => {
    if (!leading) return;
    try {
      const lease = await client.json<Lease>({ method: 'GET', path: `${collection}${pathOf(name)}`, ...limits });
      observe(lease);
      if (lease.spec?.holderIdentity !== identity) lose('another holds the lease');
    } catch (error) {
      if (error instanceof KubeError && error.code === 404) observed = undefined;
      else if (!stopping.signal.aborted)
        log.warn('lease not read', { lease: name, error: error instanceof Error ? error.message : String(error) });
    }
  };

  const releaseLease = async () => {
    const path = `${collection}${pathOf(name)}`;
    const timeoutMs = retryPeriodMs;
    try {
      // Read first: a renewal that was under way when we stopped may have changed the version.
      const lease = await client.json<Lease>({ method: 'GET', path, timeoutMs });
      if (lease.spec?.holderIdentity !== identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) };
      await client.json({ method: 'PUT', path, body: { ...lease, spec }, timeoutMs });
    } catch (error) {
      // The next leader waits for the lease to run out, nothing worse.
      log.warn('lease not released', { lease: name, error: error instanceof Error ? error.message : String(error) });
    }
  };

  const running = run();
  return {
    isLeader,
    term: () => term,
    async stop(release = true) {
      const ours = observed?.spec?.holderIdentity === identity;
      lose('stopped');
      stopping.abort(new Error(`the election of ${name} was stopped`));
      await running;
      cancelExpiry();
      if (ours && release) await releaseLease();
    },
  };
}
