/** POST {cloud, kind, node?, inSeconds?} to SIMULATE_PATH lets an event happen in the fakes; beside them on the same server. */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { AwsMetadata, MaintenanceEvent } from './aws.ts';
import type { AzureEventType, AzureMetadata } from './azure.ts';
import type { GcpMetadata } from './gcp.ts';
import { jsonReply, type MetadataService } from './service.ts';

export const SIMULATE_PATH = '/simulate/event';

interface Clouds {
  readonly azure: AzureMetadata;
  readonly aws: AwsMetadata;
  readonly gcp: GcpMetadata;
}

interface Wish {
  /** Whom it is about; Azure alone names machines in its events. */
  readonly node: string;
  readonly at: Millis;
  readonly id: string;
}

type Deed = (clouds: Clouds, wish: Wish) => void;

const iso = (at: Millis) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

const azureEvent =
  (EventType: AzureEventType, Description: string, DurationInSeconds = -1): Deed =>
  ({ azure }, { node, at, id }) =>
    azure.schedule({
      EventId: id,
      EventType,
      Resources: [node],
      NotBefore: new Date(at).toUTCString(),
      Description,
      DurationInSeconds,
    });

const awsEvent =
  (Code: MaintenanceEvent['Code']): Deed =>
  ({ aws }, { at, id }) =>
    aws.maintenance([
      {
        Code,
        EventId: `instance-event-${id}`,
        NotBefore: new Date(at).toUTCString().slice(5),
        Description: 'simulated',
        State: 'active',
      },
    ]);

/** What can happen, by cloud and kind. "Clear" ends everything. */
export const simulatedEvents: Readonly<Record<keyof Clouds, Readonly<Record<string, Deed>>>> = {
  azure: {
    Preempt: azureEvent('Preempt', 'The Spot VM is evicted.'),
    Reboot: azureEvent('Reboot', 'Host server is undergoing maintenance.'),
    Redeploy: azureEvent('Redeploy', 'The VM moves to another host.'),
    Terminate: azureEvent('Terminate', 'The VM is deleted.'),
    Freeze: azureEvent('Freeze', 'The VM is paused for a live migration.', 9),
    Start: ({ azure }) => azure.events().forEach(({ EventId }) => azure.start(EventId)),
    Clear: ({ azure }) => azure.events().forEach(({ EventId }) => azure.remove(EventId)),
  },
  aws: {
    Spot: ({ aws }, { at }) => aws.spot({ action: 'terminate', time: iso(at) }),
    Rebalance: ({ aws }, { at }) => aws.rebalance(iso(at)),
    Reboot: awsEvent('system-reboot'),
    Stop: awsEvent('instance-stop'),
    Retirement: awsEvent('instance-retirement'),
    Maintenance: awsEvent('system-maintenance'),
    AutoscalingTermination: ({ aws }) => aws.lifecycle('Terminated'),
    Clear({ aws }) {
      aws.spot(null);
      aws.rebalance(null);
      aws.maintenance([]);
      aws.lifecycle('InService');
    },
  },
  gcp: {
    Preempt: ({ gcp }) => gcp.preempt(true),
    Migrate: ({ gcp }) => gcp.maintenanceEvent('MIGRATE_ON_HOST_MAINTENANCE'),
    Terminate: ({ gcp }) => gcp.maintenanceEvent('TERMINATE_ON_HOST_MAINTENANCE'),
    Maintenance: ({ gcp }, { at }) =>
      gcp.upcomingMaintenance({
        type: 'SCHEDULED',
        maintenance_status: 'PENDING',
        window_start_time: iso(at),
        can_reschedule: 'true',
      }),
    Clear({ gcp }) {
      gcp.preempt(false);
      gcp.maintenanceEvent('NONE');
      gcp.upcomingMaintenance(null);
    },
  },
};

/** The fakes behind one door; `id` makes the ids of events. */
export function createMetadataControl(clouds: Clouds, clock: Clock, id: () => string): MetadataService {
  return {
    prefix: SIMULATE_PATH,
    answer({ method, body }) {
      if (method !== 'POST') return jsonReply({ message: `${SIMULATE_PATH} takes POST only` }, 405);
      let wish: { cloud?: unknown; kind?: unknown; node?: unknown; inSeconds?: unknown };
      try {
        wish = JSON.parse(body) as typeof wish;
      } catch {
        return jsonReply({ message: 'the body is not JSON' }, 400);
      }
      const { cloud, kind, node, inSeconds } = wish;
      const kinds = Object.entries(simulatedEvents).find(([name]) => name === cloud)?.[1];
      const deed = kinds && Object.entries(kinds).find(([name]) => name === kind)?.[1];
      if (!deed) return jsonReply({ message: `there is no ${String(kind)} of ${String(cloud)}` }, 422);
      const at = clock.now() + (typeof inSeconds === 'number' ? inSeconds : 120) * 1_000;
      deed(clouds, { node: typeof node === 'string' ? node : '', at, id: id() });
      return jsonReply({}, 201);
    },
  };
}
