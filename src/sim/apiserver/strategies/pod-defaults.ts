/**
 * The defaults of pods and pod templates (kubernetes pkg/apis/core/v1/defaults.go). Thousands of pods share the spec of one template, so what
 * was worked out for a spec is remembered with it.
 */
import type { Container, PodSpec, Probe, Volume } from '../../kubernetes.ts';
import { changing, filled, filledZeros, having, mapped, memo, type Loose } from './fill.ts';

const noResources = {};
const noSecurityContext = {};

function pullPolicy(text = ''): string {
  if (text.includes('@')) return 'IfNotPresent';
  const last = text.slice(text.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  const tag = colon < 0 ? 'latest' : last.slice(colon + 1);
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const withHttp = <T extends object>(handler: T): T =>
  changing(handler, 'httpGet', (action: Loose) => filled(action, { path: '/', scheme: 'HTTP' }));

function probe(given: Probe): Probe {
  const timed = filledZeros(given, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  return changing(withHttp(timed), 'grpc', (action: Loose) => filled(action, { service: '' }));
}

function container(given: Container): Container {
  let out = filled(given, {
    resources: noResources,
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(given.image),
  });
  out = changing(out, 'ports', (ports: readonly Loose[]) => mapped(ports, (port) => filled(port, { protocol: 'TCP' })));
  for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe']) out = changing(out, field, probe);
  out = changing(out, 'lifecycle', (lifecycle: Loose) =>
    changing(changing(lifecycle, 'postStart', withHttp), 'preStop', withHttp),
  );
  return changing(out, 'env', (list: readonly Loose[]) =>
    mapped(list, (variable) =>
      changing(variable, 'valueFrom', (source: Loose) =>
        changing(source, 'fieldRef', (ref: Loose) => filled(ref, { apiVersion: 'v1' })),
      ),
    ),
  );
}

const fileMode = (source: Loose) => filled(source, { defaultMode: 420 });

function volume(given: Volume): Volume {
  const hasSource = Object.keys(given).some((field) => field !== 'name' && given[field] !== undefined && given[field] !== null);
  let out: Volume = hasSource ? given : { ...given, emptyDir: {} };
  for (const field of ['secret', 'configMap', 'downwardAPI', 'projected']) out = changing(out, field, fileMode);
  out = changing(out, 'hostPath', (source: Loose) => ('type' in source ? source : { ...source, type: '' }));
  return changing(out, 'ephemeral', (source: Loose) =>
    changing(source, 'volumeClaimTemplate', (template: Loose) =>
      changing(template, 'spec', (spec: Loose) => filled(spec, { volumeMode: 'Filesystem' })),
    ),
  );
}

/** What a pod and a template have in common. */
export const templateSpec = memo((given: PodSpec): PodSpec => {
  let out = filled(given, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: noSecurityContext,
    schedulerName: 'default-scheduler',
  });
  for (const field of ['containers', 'initContainers'])
    out = changing(out, field, (list: readonly Container[]) => mapped(list, container));
  return changing(out, 'volumes', (list: readonly Volume[]) => mapped(list, volume));
});

function requestsFromLimits(given: Container): Container {
  const limits = given.resources?.limits;
  if (!limits) return given;
  const missing = Object.keys(limits).filter((name) => given.resources?.requests?.[name] === undefined);
  if (missing.length === 0) return given;
  const requests = { ...given.resources?.requests };
  for (const name of missing) requests[name] = limits[name] as string;
  return { ...given, resources: { ...given.resources, requests } };
}

const hostPorts = (given: Container): Container =>
  having(
    given,
    'ports',
    mapped(given.ports, (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort })),
  );

/** The whole of a pod's: a template does not get them, so that they can differ where the pod does. */
export const podSpec = memo((given: PodSpec): PodSpec => {
  let out = filled(templateSpec(given), { enableServiceLinks: true });
  for (const field of ['containers', 'initContainers'])
    out = changing(out, field, (list: readonly Container[]) =>
      mapped(list, (one) => (out.hostNetwork ? hostPorts(requestsFromLimits(one)) : requestsFromLimits(one))),
    );
  return out;
});
