/**
 * The types of our resources, for everyone. They are read off the schemas with type-only imports: nothing that imports this
 * file gets zod into its bundle. `...Input` is what a person may write, without the defaults.
 */
import type * as z from 'zod';
import type { hookSchema, rebootSchema, verifySchema } from './action-spec.ts';
import type { drainSpec } from './drain-spec.ts';
import type { gatesSpec } from './gates.ts';
import type { maintenancePolicy, policyStatus } from './maintenance-policy.ts';
import type { maintenanceStatus, nodeMaintenance } from './node-maintenance.ts';
import type { scheduleSpec } from './schedule.ts';

export type { Reason } from './reason.ts';

export type MaintenancePolicy = z.output<typeof maintenancePolicy>;
export type MaintenancePolicyInput = z.input<typeof maintenancePolicy>;
export type MaintenancePolicyStatus = z.output<typeof policyStatus>;

export type NodeMaintenance = z.output<typeof nodeMaintenance>;
export type NodeMaintenanceInput = z.input<typeof nodeMaintenance>;
export type NodeMaintenanceStatus = z.output<typeof maintenanceStatus>;

export type MaintenancePhase = NonNullable<NodeMaintenanceStatus['phase']>;
export type Progress = NonNullable<NodeMaintenanceStatus['progress']>;
export type Waiting = NonNullable<NodeMaintenanceStatus['waitingFor']>;
export type PodStatus = NonNullable<NodeMaintenanceStatus['pods']>[number];
export type JournalEntry = NonNullable<NodeMaintenanceStatus['journal']>[number];
export type Condition = NonNullable<NodeMaintenanceStatus['conditions']>[number];

export type RebootSpec = z.output<typeof rebootSchema>;
export type VerifySpec = z.output<typeof verifySchema>;
export type HookSpec = z.output<typeof hookSchema>;
export type Acted = NonNullable<NodeMaintenanceStatus['action']>;

export type DrainSpec = z.output<typeof drainSpec>;
export type ScheduleSpec = z.output<typeof scheduleSpec>;
export type GatesSpec = z.output<typeof gatesSpec>;
