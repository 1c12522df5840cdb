/**
 * EC2's instance metadata, version 2 only, as far as notices go. Wire format as documented:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html, .../spot-instance-termination-notices.html
 */
import type { Clock, Millis } from '../../lib/clock.ts';
import { jsonReply, type MetadataService, textReply } from './service.ts';

export interface MaintenanceEvent {
  readonly NotBefore: string;
  readonly NotAfter?: string;
  readonly NotBeforeDeadline?: string;
  readonly Code: 'instance-reboot' | 'system-reboot' | 'system-maintenance' | 'instance-retirement' | 'instance-stop';
  readonly Description: string;
  readonly EventId: string;
  readonly State: 'active' | 'completed' | 'canceled';
}

export interface AwsMetadata extends MetadataService {
  /** null: none, as before the notice. */
  spot(action: { readonly action: 'terminate' | 'stop' | 'hibernate'; readonly time: string } | null): void;
  rebalance(noticeTime: string | null): void;
  maintenance(events: readonly MaintenanceEvent[]): void;
  /** null: a brand-new instance has none. */
  lifecycle(state: string | null): void;
  /** Every token that is out is refused from now on. */
  revokeTokens(): void;
}

const ROOT = '/latest/meta-data';
const HEADER = 'x-aws-ec2-metadata-token';

export function createAwsMetadata(clock: Clock): AwsMetadata {
  const tokens = new Map<string, Millis>();
  let issued = 0;
  let state: {
    readonly spot: object | null;
    readonly rebalance: object | null;
    readonly maintenance: readonly MaintenanceEvent[];
    readonly lifecycle: string | null;
  } = { spot: null, rebalance: null, maintenance: [], lifecycle: 'InService' };
  const change = (next: Partial<typeof state>) => {
    state = { ...state, ...next };
  };
  const orNone = (value: object | null) => (value === null ? textReply('Not Found', 404) : jsonReply(value));

  return {
    prefix: '/latest/',
    answer({ method, path, headers }) {
      if (path === '/latest/api/token') {
        if (method !== 'PUT') return textReply('Method Not Allowed', 405);
        if (headers['x-forwarded-for'] !== undefined) return textReply('Forbidden', 403);
        const ttl = headers[`${HEADER}-ttl-seconds`] ?? '';
        const seconds = /^\d{1,5}$/.test(ttl) ? Number(ttl) : 0;
        if (seconds < 1 || seconds > 21_600) return textReply('Bad Request', 400);
        const token = `AQAEA${String(++issued).padStart(3, '0')}==`;
        tokens.set(token, clock.now() + seconds * 1_000);
        return textReply(token, 200, { 'X-aws-ec2-metadata-token-ttl-seconds': ttl });
      }
      if ((tokens.get(headers[HEADER] ?? '') ?? 0) <= clock.now()) return textReply('Unauthorized', 401);
      switch (path) {
        case `${ROOT}/spot/instance-action`:
          return orNone(state.spot);
        case `${ROOT}/events/recommendations/rebalance`:
          return orNone(state.rebalance);
        case `${ROOT}/events/maintenance/scheduled`:
          return jsonReply(state.maintenance);
        case `${ROOT}/autoscaling/target-lifecycle-state`:
          return state.lifecycle === null ? textReply('Not Found', 404) : textReply(state.lifecycle);
        default:
          return textReply('Not Found', 404);
      }
    },
    spot: (action) => change({ spot: action }),
    rebalance: (noticeTime) => change({ rebalance: noticeTime === null ? null : { noticeTime } }),
    maintenance: (events) => change({ maintenance: events }),
    lifecycle: (lifecycle) => change({ lifecycle }),
    revokeTokens: () => tokens.clear(),
  };
}
