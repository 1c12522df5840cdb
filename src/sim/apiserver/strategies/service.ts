/** Services: defaults and addresses (kubernetes pkg/registry/core/service). */
import type { Service } from '../../kubernetes.ts';
import { services as kind } from '../kinds.ts';
import { dns1035Label } from '../names.ts';
import { forbiddenField, invalidValue, immutable, notSupported, required, type FieldError } from '../refusals.ts';
import { labelErrors } from '../metadata.ts';
import { changing, filled, mapped, type Loose } from './fill.ts';
import type { Server, Strategy } from './strategy.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const FIRST_NODE_PORT = 30000;
const NODE_PORTS = 2768;

const external = (type: unknown) => type === 'NodePort' || type === 'LoadBalancer';

function defaults(service: Service): Service {
  return changing(service, 'spec', (given: Loose) => {
    let spec = filled(given, { sessionAffinity: 'None', type: 'ClusterIP' });
    if (spec.type !== 'ExternalName') spec = filled(spec, { internalTrafficPolicy: 'Cluster' });
    if (external(spec.type)) spec = filled(spec, { externalTrafficPolicy: 'Cluster' });
    if (spec.type === 'LoadBalancer') spec = filled(spec, { allocateLoadBalancerNodePorts: true });
    return changing(spec, 'ports', (ports: readonly Loose[]) =>
      mapped(ports, (port) => filled(port, { protocol: 'TCP', targetPort: port.port })),
    );
  });
}

/** 10.96.0.0/16 as most installers choose it; the first ten stay free for the cluster's own. */
function freeAddress(server: Server): string {
  let at = 10 + Math.floor(server.random() * 65_000);
  for (;;) {
    const address = `10.96.${at >> 8}.${at & 255}`;
    if (!server.taken(kind, address)) return address;
    at = at >= 65_500 ? 10 : at + 1;
  }
}

function addressed(service: Service, server: Server): Service {
  const spec = service.spec as Service['spec'] & Loose;
  if (spec.type === 'ExternalName') return service;
  const clusterIP = spec.clusterIP || freeAddress(server);
  const addresses = { clusterIP, clusterIPs: [clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
  const ports = external(spec.type)
    ? mapped(spec.ports, (port) =>
        port.nodePort ? port : { ...port, nodePort: FIRST_NODE_PORT + Math.floor(server.random() * NODE_PORTS) },
      )
    : spec.ports;
  return { ...service, spec: { ...filled(spec, addresses), clusterIP, ...(ports && { ports }) } };
}

function errorsOf({ spec }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const headless = spec.clusterIP === 'None';
  const { type = 'ClusterIP', ports = [] } = spec;
  if (ports.length === 0 && !headless && type !== 'ExternalName') errors.push(required('spec.ports'));
  if (type === 'ExternalName' && !(spec as Loose).externalName) errors.push(required('spec.externalName'));
  const names = new Set<string>();
  ports.forEach(({ name, port }, at) => {
    const path = `spec.ports[${at}]`;
    if (!name && ports.length > 1) errors.push(required(`${path}.name`));
    if (name && names.has(name))
      errors.push({ reason: 'FieldValueDuplicate', field: `${path}.name`, message: `Duplicate value: ${JSON.stringify(name)}` });
    if (name) names.add(name);
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      errors.push(invalidValue(`${path}.port`, port ?? 0, 'must be between 1 and 65535, inclusive'));
    if (ports[at]?.nodePort && type === 'ClusterIP')
      errors.push(forbiddenField(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
  });
  errors.push(...labelErrors(spec.selector, 'spec.selector'));
  if (!TYPES.includes(type)) errors.push(notSupported('spec.type', type, TYPES));
  return errors;
}

export const services: Strategy<Service> = {
  validName: dns1035Label,
  createOnUpdate: true,
  newStatus: () => ({ loadBalancer: {} }),
  defaults,
  prepareCreate: addressed,
  // A PUT without addresses keeps them: they are the server's to give.
  prepareUpdate: (next, current) => {
    const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = current.spec as Loose;
    if (next.spec.type === 'ExternalName' || next.spec === current.spec) return next;
    const kept = Object.fromEntries(
      Object.entries({ clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy }).filter(([, value]) => value !== undefined),
    );
    return { ...next, spec: filled(next.spec, kept) };
  },
  validate: errorsOf,
  validateUpdate: (next, current) => {
    if (next.spec === current.spec) return [];
    const errors = errorsOf(next);
    const [to, from] = [next.spec, current.spec];
    if (from.type !== 'ExternalName' && to.type !== 'ExternalName' && from.clusterIP && to.clusterIP !== from.clusterIP)
      errors.unshift(immutable('spec.clusterIPs[0]', to.clusterIP));
    return errors;
  },
};
