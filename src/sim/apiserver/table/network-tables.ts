import type {
  Claim,
  DisruptionBudget,
  EndpointSlice,
  KubeObject,
  PersistentVolume,
  Selector,
  Service,
} from '../../kubernetes.ts';
import { accessModes, age, labelCell, printer, selectorCell, some, textOf } from './cell.ts';

interface Balancer {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
}

const balancerAddresses = (object: KubeObject) =>
  ((object.status ?? {}) as Balancer).loadBalancer?.ingress?.map(({ ip, hostname }) => ip || hostname || '').sort() ?? [];

function externalAddress(service: Service): string {
  const {
    type,
    externalIPs = [],
    externalName,
  } = service.spec as { type?: string; externalIPs?: string[]; externalName?: string };
  if (type === 'ExternalName') return externalName ?? '';
  if (type === 'LoadBalancer') return [...balancerAddresses(service), ...externalIPs].join(',') || '<pending>';
  return externalIPs.join(',') || '<none>';
}

export const serviceTable = printer<Service>('Type Cluster-IP External-IP Port(s) Age Selector*', (service, now) => {
  const { clusterIPs, clusterIP, ports = [] } = service.spec as Service['spec'] & { clusterIPs?: readonly string[] };
  const shown = ports.map(({ port, nodePort, protocol = 'TCP' }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return [
    service.spec.type ?? '',
    clusterIPs?.[0] ?? clusterIP ?? '<none>',
    externalAddress(service),
    shown.join(',') || '<none>',
    age(service, now),
    labelCell(service.spec.selector),
  ];
});

export const endpointSliceTable = printer<EndpointSlice>('AddressType Ports Endpoints Age', (slice, now) => [
  slice.addressType,
  some((slice.ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : String(port)))),
  some((slice.endpoints ?? []).flatMap(({ addresses }) => addresses)),
  age(slice, now),
]);

interface Subset {
  readonly addresses?: readonly { readonly ip: string }[];
  readonly ports?: readonly { readonly port: number }[];
}

export const endpointsTable = printer<KubeObject>('Endpoints Age', (object, now) => {
  const list = ((object.subsets ?? []) as readonly Subset[]).flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`))),
  );
  return [list.length === 0 ? '<none>' : some(list), age(object, now)];
});

export const budgetTable = printer<DisruptionBudget>(
  'Min_Available Max_Unavailable Allowed_Disruptions:integer Age',
  (budget, now) => [
    String(budget.spec.minAvailable ?? 'N/A'),
    String(budget.spec.maxUnavailable ?? 'N/A'),
    budget.status?.disruptionsAllowed ?? 0,
    age(budget, now),
  ],
);

interface Rules {
  readonly ingressClassName?: string;
  readonly tls?: readonly unknown[];
  readonly rules?: readonly { readonly host?: string }[];
}

export const ingressTable = printer<KubeObject>('Class Hosts Address Ports Age', (object, now) => {
  const { ingressClassName, tls, rules = [] } = (object.spec ?? {}) as Rules;
  const hosts = rules.map(({ host }) => host ?? '').filter((host) => host !== '');
  return [
    ingressClassName ?? '<none>',
    hosts.length === 0 ? '*' : some(hosts),
    balancerAddresses(object).join(','),
    tls?.length ? '80, 443' : '80',
    age(object, now),
  ];
});

export const networkPolicyTable = printer<KubeObject>('Pod-Selector Age', (object, now) => [
  selectorCell((object.spec as { podSelector?: Selector } | undefined)?.podSelector),
  age(object, now),
]);

const storageOf = (quantities: unknown) => (quantities as { storage?: string } | undefined)?.storage ?? '0';

export const volumeTable = printer<PersistentVolume>(
  'Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age VolumeMode*',
  (volume, now) => {
    const { claimRef, capacity, persistentVolumeReclaimPolicy, volumeAttributesClassName, volumeMode } =
      volume.spec as PersistentVolume['spec'] & Readonly<Record<string, string | undefined>>;
    return [
      storageOf(capacity),
      accessModes(volume.spec.accessModes),
      persistentVolumeReclaimPolicy ?? '',
      volume.metadata.deletionTimestamp === undefined ? (volume.status?.phase ?? '') : 'Terminating',
      claimRef ? `${claimRef.namespace}/${claimRef.name}` : '',
      volume.spec.storageClassName ?? '',
      volumeAttributesClassName ?? '<unset>',
      (volume.status as { reason?: string } | undefined)?.reason ?? '',
      age(volume, now),
      volumeMode ?? '<unset>',
    ];
  },
);

export const claimTable = printer<Claim>(
  'Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age VolumeMode*',
  (claim, now) => {
    const {
      volumeName = '',
      volumeAttributesClassName,
      volumeMode,
    } = claim.spec as Claim['spec'] & Readonly<Record<string, string | undefined>>;
    const status = (claim.status ?? {}) as { phase?: string; capacity?: unknown; accessModes?: readonly string[] };
    return [
      claim.metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating',
      volumeName,
      volumeName ? storageOf(status.capacity) : '',
      volumeName ? accessModes(status.accessModes) : '',
      claim.spec.storageClassName ?? '',
      volumeAttributesClassName ?? '<unset>',
      age(claim, now),
      volumeMode ?? '<unset>',
    ];
  },
);

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

export const storageClassTable = {
  ...printer<KubeObject>('Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age', () => []),
  cells: (object: KubeObject, now: number) => [
    object.metadata.annotations?.[DEFAULT_CLASS] === 'true' ? `${object.metadata.name} (default)` : object.metadata.name,
    textOf(object.provisioner),
    textOf(object.reclaimPolicy, 'Delete'),
    textOf(object.volumeBindingMode, 'Immediate'),
    object.allowVolumeExpansion === true,
    age(object, now),
  ],
};
