/** What a user asked of the API server, from the audit log. */
import type { Bed } from '../test/beds/bed.ts';

export interface Requests {
  /** Everything but the renewals of the leader's Lease, which come every 2 s whether or not it drains. A watch counts once, when opened. */
  readonly total: number;
  readonly lease: number;
  readonly evictions: number;
  /** Evictions that were answered 429. */
  readonly refused: number;
  /** "create pods/eviction" -> how many; without the Lease. */
  readonly byKind: Readonly<Record<string, number>>;
}

/** Requests of `user` since `from` (Bed.auditMark). */
export async function countRequests(bed: Bed, user: string, from: number): Promise<Requests> {
  const byKind: Record<string, number> = {};
  let [total, lease, evictions, refused] = [0, 0, 0, 0];
  for (const { verb, resource, subresource, code } of await bed.auditLog({ user, from })) {
    if (resource === 'leases') {
      lease += 1;
      continue;
    }
    total += 1;
    const kind = `${verb} ${resource}${subresource && `/${subresource}`}`;
    byKind[kind] = (byKind[kind] ?? 0) + 1;
    if (subresource !== 'eviction') continue;
    evictions += 1;
    if (code === 429) refused += 1;
  }
  return { total, lease, evictions, refused, byKind };
}

/** "30 create pods/eviction, 1 patch nodes", most frequent first. */
export function requestsInWords({ byKind }: Requests): string {
  const kinds = Object.entries(byKind).sort(([, a], [, b]) => b - a);
  return kinds.map(([kind, count]) => `${count} ${kind}`).join(', ');
}
