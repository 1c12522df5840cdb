/** What `drover reboot` asks the controller for. Pure. */
import { GROUP_VERSION } from '../../api/names.ts';
import type { MaintenancePolicy } from '../../api/resources.ts';

export interface RebootRequest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName: string } & Readonly<Record<string, unknown>>;
}

export interface RequestOptions {
  readonly reason: string;
  /** Whose blocks are taken. */
  readonly like: MaintenancePolicy | undefined;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** A node may be rebooted again tomorrow: each request has a name of its own. */
export function rebootRequest(nodeName: string, { reason, like, random }: RequestOptions): RebootRequest {
  const suffix = Math.floor(random() * 36 ** 5)
    .toString(36)
    .padStart(5, '0');
  const { drain, reboot, verify, hooks } = like?.spec ?? {};
  return {
    apiVersion: GROUP_VERSION,
    kind: 'NodeMaintenance',
    metadata: { name: `${nodeName.slice(0, 230).replace(/[^a-z0-9]+$/, '')}-reboot-${suffix}` },
    spec: {
      nodeName,
      action: 'Reboot',
      reason: { type: 'Manual', message: reason },
      ...(drain && { drain }),
      ...(reboot && { reboot }),
      ...(verify && { verify }),
      ...(hooks && { hooks }),
    },
  };
}
