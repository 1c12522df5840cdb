/** Which rules and which index each built-in kind has. */
import type { DisruptionBudget, Pod, Service } from '../../kubernetes.ts';
import type { Kind } from '../api.ts';
import { eventConversion } from '../convert.ts';
import * as kinds from '../kinds.ts';
import type { ServeOptions } from '../resource.ts';
import { budgetBucket, budgets } from './budget.ts';
import { cronJobs, jobs } from './jobs.ts';
import { nodes } from './node.ts';
import * as plain from './plain.ts';
import { pods } from './pod.ts';
import { services } from './service.ts';
import { attachments, claims, storageClasses, volumes } from './storage.ts';
import type { Strategy } from './strategy.ts';
import { daemonSets, deployments, newSpec, replicaSets, statefulSets } from './workloads.ts';

const table = new Map<Kind, Strategy>([
  [kinds.namespaces, plain.namespaces],
  [kinds.nodes, nodes],
  [kinds.pods, pods],
  [kinds.services, services],
  [kinds.configMaps, plain.configMaps],
  [kinds.secrets, plain.secrets],
  [kinds.coreEvents, { uncollected: true, createOnUpdate: true }],
  [kinds.events, { uncollected: true, createOnUpdate: true }],
  [kinds.endpoints, { createOnUpdate: true }],
  [kinds.limitRanges, { createOnUpdate: true }],
  [kinds.claims, claims],
  [kinds.volumes, volumes],
  [kinds.replicationControllers, { newGeneration: newSpec, newStatus: () => ({ replicas: 0 }), orphansByDefault: true }],
  [kinds.deployments, deployments],
  [kinds.replicaSets, replicaSets],
  [kinds.statefulSets, statefulSets],
  [kinds.daemonSets, daemonSets],
  [kinds.jobs, jobs],
  [kinds.cronJobs, cronJobs],
  [kinds.budgets, budgets],
  [kinds.endpointSlices, plain.endpointSlices],
  [kinds.networkPolicies, plain.counted],
  [kinds.ingresses, { newGeneration: newSpec, newStatus: () => ({ loadBalancer: {} }) }],
  [kinds.storageClasses, storageClasses],
  [kinds.csiNodes, { unconditionalUpdate: false }],
  [kinds.volumeAttachments, attachments],
  [kinds.leases, plain.leases],
  [kinds.autoscalers, plain.autoscalers],
  [kinds.priorityClasses, plain.priorityClasses],
  [kinds.roles, plain.roles],
  [kinds.clusterRoles, plain.roles],
  [kinds.roleBindings, plain.roleBindings],
  [kinds.clusterRoleBindings, plain.roleBindings],
  [kinds.customResourceDefinitions, { newGeneration: newSpec, unconditionalUpdate: false }],
]);

const none: Strategy = {};

export const strategyFor = (kind: Kind): Strategy => table.get(kind) ?? none;

const options = new Map<Kind, ServeOptions>([
  [kinds.pods, { indexBy: (object) => (object as Pod).spec?.nodeName || undefined }],
  [kinds.services, { indexBy: (object) => (object as Service).spec?.clusterIP }],
  [kinds.budgets, { indexBy: (object) => budgetBucket(object as DisruptionBudget) }],
  [kinds.events, { storedAs: '/events', conversion: eventConversion }],
]);

export const optionsOf = (kind: Kind): ServeOptions => ({ ...options.get(kind), strictFinalizers: true });
