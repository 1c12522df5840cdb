/** Long because each verb is shown once, on one bed. */
import { describe, expect, it } from 'vitest';
import { createDoorBed } from '../testing/door-bed.ts';

const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'app:1' }] },
  ...more,
});
const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
  },
});

describe('paths', () => {
  it.each([
    ['/healthz', 200, 'ok'],
    ['/readyz', 200, 'ok'],
    ['/nowhere', 404, '404 page not found\n'],
    ['/apis/no.such.group/v1/things', 404, '404 page not found\n'],
    ['/api/v2', 404, '404 page not found\n'],
  ])('%s is answered in plain text with %d', (path, code, text) => {
    const answer = createDoorBed().ask('GET', path);
    expect([answer.code, answer.body]).toEqual([code, text]);
  });

  it.each([
    '/api/v1/foos',
    '/apis/apps/v1/namespaces/default/foos',
    `${PODS}/a/foo`,
    '/api/v1/namespaces/default/nodes',
    '/api/v1/pods/a',
  ])('%s is a 404 of the router inside a served group', (path) => {
    expect(createDoorBed().ask('GET', path).body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server could not find the requested resource',
      reason: 'NotFound',
      details: {},
      code: 404,
    });
  });

  it.each([
    ['POST', '/api/v1/pods'],
    ['PUT', PODS],
    ['POST', `${PODS}/a`],
    ['DELETE', '/api/v1/pods'],
    ['DELETE', `${PODS}/a/status`],
    ['GET', `${PODS}/a/eviction`],
    ['GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews'],
  ])('%s %s is not allowed', (method, path) => {
    const { code, body } = createDoorBed().ask(method, path);
    expect([code, body.reason]).toEqual([405, 'MethodNotAllowed']);
  });

  it('"/namespaces/a/status" is the status of the namespace, "/namespaces/a/pods" its pods', () => {
    const bed = createDoorBed();
    expect(bed.ask('GET', '/api/v1/namespaces/default/status').body.kind).toBe('Namespace');
    expect(bed.ask('GET', PODS).body.kind).toBe('PodList');
  });

  it('says which version it plays', () => {
    expect(createDoorBed().ask('GET', '/version').body.gitVersion).toMatch(/^v1\.34\./);
  });
});

describe('a missing object', () => {
  it('is a Status with its details', () => {
    expect(createDoorBed().ask('GET', '/apis/apps/v1/namespaces/default/deployments/web').body).toMatchObject({
      message: 'deployments.apps "web" not found',
      reason: 'NotFound',
      details: { name: 'web', group: 'apps', kind: 'deployments' },
      code: 404,
    });
  });
});

describe('creating', () => {
  it('answers 201 with the object in its namespace, kind and version filled in', () => {
    const { code, body } = createDoorBed().ask('POST', '/apis/apps/v1/namespaces/default/deployments', {
      body: deployment('web'),
    });
    expect(code).toBe(201);
    expect(body).toMatchObject({ kind: 'Deployment', apiVersion: 'apps/v1', metadata: { namespace: 'default', generation: 1 } });
  });

  it('books the client in managedFields by the head of its user agent', () => {
    const { body } = createDoorBed().ask('POST', PODS, { body: pod('a') });
    expect(body.metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Update', apiVersion: 'v1' }]);
  });

  it.each([
    [pod('a', { kind: 'Node' }), 'Node in version "v1" cannot be handled as a Pod'],
    [pod('a', { apiVersion: 'v2' }), 'the API version in the data (v2) does not match the expected API version (v1)'],
    [
      pod('a', { metadata: { name: 'a', namespace: 'other' } }),
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    ['text', 'the object provided is unrecognized (must be of type Pod)'],
  ])('refuses a body that does not fit the path: %o', (body, text) => {
    const answer = createDoorBed().ask('POST', PODS, { body });
    expect([answer.code, answer.body.reason]).toEqual([400, 'BadRequest']);
    expect(answer.body.message).toContain(text);
  });

  it('changes nothing in a dry run, and refuses another word than All', () => {
    const bed = createDoorBed();
    expect(bed.ask('POST', PODS, { body: pod('a'), query: { dryRun: 'All' } }).code).toBe(201);
    expect(bed.ask('GET', `${PODS}/a`).code).toBe(404);
    const { code, body } = bed.ask('POST', PODS, { body: pod('a'), query: { dryRun: 'Some' } });
    expect([code, body.details.kind, body.details.causes[0].field]).toEqual([422, 'CreateOptions', 'dryRun']);
  });

  it('refuses a body of another type', () => {
    const { code, body } = createDoorBed().ask('POST', PODS, { body: pod('a'), contentType: 'text/plain' });
    expect([code, body.reason]).toEqual([415, 'UnsupportedMediaType']);
  });
});

describe('unknown fields of a built-in kind', () => {
  const strange = pod('a', { spec: { containers: [{ name: 'app', image: 'app:1', colour: 'red' }], shape: 1 } });

  it('are dropped with a warning', () => {
    const { code, headers, body } = createDoorBed().ask('POST', PODS, { body: strange });
    expect(code).toBe(201);
    expect(headers.Warning).toBe('299 - "unknown field \\"spec.containers[0].colour\\"", 299 - "unknown field \\"spec.shape\\""');
    expect(body.spec.shape).toBeUndefined();
    expect(body.spec.containers[0].colour).toBeUndefined();
  });

  it('are refused where fieldValidation is Strict', () => {
    const { code, body } = createDoorBed().ask('POST', PODS, { body: strange, query: { fieldValidation: 'Strict' } });
    expect(code).toBe(400);
    expect(body.message).toBe(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].colour", unknown field "spec.shape"',
    );
  });

  it('are dropped in silence where it is Ignore', () => {
    expect(createDoorBed().ask('POST', PODS, { body: strange, query: { fieldValidation: 'Ignore' } }).headers).toEqual({});
  });
});

describe('a value of a wrong type', () => {
  it.each([
    [
      { spec: { replicas: 'two' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal object into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      { spec: { template: [] } },
      'json: cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec',
    ],
  ])('is refused in a body as 400, in a patch as 422: %o', (wrong, text) => {
    const bed = createDoorBed();
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const body = { ...deployment('web'), ...wrong, metadata: { name: 'web', ...('metadata' in wrong ? wrong.metadata : {}) } };
    const created = bed.ask('POST', path, { body });
    expect([created.code, created.body.message]).toEqual([
      400,
      `Deployment in version "v1" cannot be handled as a Deployment: ${text}`,
    ]);
    bed.ask('POST', path, { body: deployment('web') });
    const patched = bed.ask('PATCH', `${path}/web`, { contentType: 'application/merge-patch+json', body: wrong });
    expect([patched.code, patched.body.details.causes[0].field]).toEqual([422, 'patch']);
    expect(patched.body.message).toContain(text);
  });

  it('null is none', () => {
    const body = { ...deployment('web'), metadata: { name: 'web', labels: null, creationTimestamp: null } };
    expect(createDoorBed().ask('POST', '/apis/apps/v1/namespaces/default/deployments', { body }).code).toBe(201);
  });
});

describe('updating', () => {
  it('takes the name from the path', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const other = bed.ask('PUT', `${PODS}/a`, { body: pod('b') });
    expect(other.body.message).toBe('the name of the object (b) does not match the name on the URL (a)');
    expect(bed.ask('PUT', `${PODS}/a`, { body: pod('') }).code).toBe(400);
  });

  it('refuses an outdated version with 409', () => {
    const bed = createDoorBed();
    const { metadata, ...rest } = bed.pod('a');
    const labelled = { ...rest, metadata: { ...metadata, labels: { x: 'y' } } };
    expect(bed.ask('PUT', `${PODS}/a`, { body: labelled }).code).toBe(200);
    const { code, body } = bed.ask('PUT', `${PODS}/a`, { body: { ...labelled, metadata: { ...labelled.metadata, labels: {} } } });
    expect([code, body.reason]).toEqual([409, 'Conflict']);
  });

  it('of the status leaves the rest alone, and of the rest the status', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const contentType = 'application/merge-patch+json';
    const both = { metadata: { labels: { x: 'y' } }, spec: { activeDeadlineSeconds: 5 }, status: { phase: 'Running' } };
    const status = bed.ask('PATCH', `${PODS}/a/status`, { contentType, body: both }).body;
    expect([status.status.phase, status.spec.activeDeadlineSeconds]).toEqual(['Running', undefined]);
    const main = bed.ask('PATCH', `${PODS}/a`, { contentType, body: { ...both, status: { phase: 'Failed' } } }).body;
    expect([main.status.phase, main.spec.activeDeadlineSeconds]).toEqual(['Running', 5]);
  });
});

describe('patching', () => {
  it.each([
    ['application/merge-patch+json', { spec: { unschedulable: true } }],
    ['application/strategic-merge-patch+json', { spec: { unschedulable: true } }],
    ['application/json-patch+json', [{ op: 'add', path: '/spec/unschedulable', value: true }]],
  ])('takes %s', (contentType, body) => {
    const bed = createDoorBed();
    bed.node('n1');
    expect(bed.ask('PATCH', '/api/v1/nodes/n1', { contentType, body }).body.spec.unschedulable).toBe(true);
  });

  it('of no known type is refused, naming those that are', () => {
    const bed = createDoorBed();
    bed.node('n1');
    const { code, body } = bed.ask('PATCH', '/api/v1/nodes/n1', { contentType: 'application/json', body: {} });
    expect(code).toBe(415);
    expect(body.message).toContain('application/strategic-merge-patch+json');
  });

  it('by apply makes the object when there is none, and needs a field manager', () => {
    const bed = createDoorBed();
    const contentType = 'application/apply-patch+yaml';
    const path = '/apis/apps/v1/namespaces/default/deployments/web';
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', ...deployment('web') };
    expect(bed.ask('PATCH', path, { contentType, body }).code).toBe(422);
    const query = { fieldManager: 'me' };
    expect(bed.ask('PATCH', path, { contentType, body, query }).code).toBe(201);
    expect(bed.ask('PATCH', path, { contentType, body, query }).code).toBe(200);
    const scaled = { ...body, spec: { ...body.spec, replicas: 5 } };
    const conflict = bed.ask('PATCH', path, { contentType, body: scaled, query: { fieldManager: 'other' } });
    expect([conflict.code, conflict.body.details.causes[0].field]).toEqual([409, '.spec.replicas']);
  });
});

describe('deleting', () => {
  it('answers with the object while it waits for its grace, and with a pod also when it is gone', () => {
    const bed = createDoorBed();
    bed.node('n1');
    bed.pod('a', { spec: { nodeName: 'n1' } });
    const graceful = bed.ask('DELETE', `${PODS}/a`, { body: { gracePeriodSeconds: 20 } });
    expect([graceful.body.kind, graceful.body.metadata.deletionGracePeriodSeconds]).toEqual(['Pod', 20]);
    expect(bed.ask('DELETE', `${PODS}/a`, { query: { gracePeriodSeconds: '0' } }).body.kind).toBe('Pod');
    expect(bed.ask('GET', `${PODS}/a`).code).toBe(404);
  });

  it('answers with a Status for kinds that leave at once', () => {
    const bed = createDoorBed();
    const { uid } = bed.budget('web', { minAvailable: 1, selector: {} }).metadata;
    expect(bed.ask('DELETE', '/apis/policy/v1/namespaces/default/poddisruptionbudgets/web').body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'web', group: 'policy', kind: 'poddisruptionbudgets', uid },
    });
  });

  it('of a collection takes what the selector names', () => {
    const bed = createDoorBed();
    bed.pod('a', { labels: { app: 'x' } });
    bed.pod('b');
    const { body } = bed.ask('DELETE', PODS, { query: { labelSelector: 'app=x' }, body: { gracePeriodSeconds: 0 } });
    expect([body.kind, body.items.length]).toEqual(['PodList', 1]);
    expect(bed.ask('GET', PODS).body.items.length).toBe(1);
  });

  it('with a precondition of another uid is a conflict', () => {
    const bed = createDoorBed();
    bed.pod('a');
    expect(bed.ask('DELETE', `${PODS}/a`, { body: { preconditions: { uid: 'other' } } }).code).toBe(409);
  });
});

describe('forms', () => {
  it('gives only the metadata to who asks for no more', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const { body } = bed.ask('GET', PODS, { accept });
    expect([body.kind, body.items[0].kind, body.items[0].spec]).toEqual([
      'PartialObjectMetadataList',
      'PartialObjectMetadata',
      undefined,
    ]);
  });

  it('falls back to the next form of the Accept header, and refuses when none is left', () => {
    const bed = createDoorBed();
    const accept = 'application/vnd.kubernetes.protobuf, application/json;as=Chart;v=v1;g=meta.k8s.io, application/json';
    expect(bed.ask('GET', PODS, { accept }).body.kind).toBe('PodList');
    const { code, body } = bed.ask('GET', PODS, { accept: 'application/vnd.kubernetes.protobuf' });
    expect([code, body.reason]).toEqual([406, 'NotAcceptable']);
  });
});

describe('subresources', () => {
  it('evict, bind and scale', () => {
    const bed = createDoorBed();
    bed.node('n1');
    bed.pod('a');
    const target = { kind: 'Node', name: 'n1' };
    expect(bed.ask('POST', `${PODS}/a/binding`, { body: { target } }).body).toMatchObject({ status: 'Success', code: 201 });
    expect(bed.readPod('a')?.spec.nodeName).toBe('n1');
    expect(bed.ask('POST', `${PODS}/a/eviction`, { body: { metadata: { name: 'a' } } }).code).toBe(201);
    expect(bed.readPod('a')?.metadata.deletionTimestamp).toBeDefined();

    bed.replicaSet('web', 1);
    const scale = '/apis/apps/v1/namespaces/default/replicasets/web/scale';
    const contentType = 'application/merge-patch+json';
    expect(bed.ask('PATCH', scale, { contentType, body: { spec: { replicas: 4 } } }).body.spec).toEqual({ replicas: 4 });
    expect(bed.ask('GET', scale).body).toMatchObject({ kind: 'Scale', spec: { replicas: 4 }, status: { selector: 'app=web' } });
  });

  it('refuse an eviction that names another pod', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const { body } = bed.ask('POST', `${PODS}/a/eviction`, { body: { metadata: { name: 'b' } } });
    expect(body.message).toBe('name in URL does not match name in Eviction object');
  });

  it('tell a budget that refuses as 429 with its cause and no Retry-After', () => {
    const bed = createDoorBed();
    bed.node('n1');
    bed.pod('a', { labels: { app: 'x' }, spec: { nodeName: 'n1' } });
    bed.report('a', true);
    bed.budget('x', { minAvailable: 1, selector: { matchLabels: { app: 'x' } } });
    const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets/x/status';
    const status = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
    bed.ask('PATCH', path, { contentType: 'application/merge-patch+json', body: { status } });
    const { code, headers, body } = bed.ask('POST', `${PODS}/a/eviction`, { body: { metadata: { name: 'a' } } });
    expect([code, headers, body.details.causes[0].reason]).toEqual([429, {}, 'DisruptionBudget']);
  });

  it('show a log only of a container that runs, and ask which when there are several', () => {
    const bed = createDoorBed();
    bed.pod('a');
    expect(bed.ask('GET', `${PODS}/a/log`).body.message).toBe(
      'container "app" in pod "a" is waiting to start: ContainerCreating',
    );
    const status = {
      containerStatuses: [
        { name: 'app', ready: true, restartCount: 0, state: { running: { startedAt: '2030-01-01T00:00:00Z' } } },
      ],
    };
    bed.ask('PATCH', `${PODS}/a/status`, { contentType: 'application/merge-patch+json', body: { status } });
    expect(bed.ask('GET', `${PODS}/a/log`).body).toBe('2030-01-01T00:00:00Z app started\n');
    bed.pod('b', {
      spec: {
        containers: [
          { name: 'x', image: 'x:1' },
          { name: 'y', image: 'y:1' },
        ],
      },
    });
    expect(bed.ask('GET', `${PODS}/b/log`).body.message).toBe(
      'a container name must be specified for pod b, choose one of: [x y]',
    );
  });

  it('give a token to a service account that is there', () => {
    const bed = createDoorBed();
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    expect(bed.ask('POST', `${accounts}/robot/token`, { body: {} }).code).toBe(404);
    bed.ask('POST', accounts, { body: { metadata: { name: 'robot' } } });
    const { code, body } = bed.ask('POST', `${accounts}/robot/token`, { body: { spec: { expirationSeconds: 600 } } });
    expect([code, body.status.expirationTimestamp]).toEqual([201, '2030-01-01T00:10:00Z']);
  });
});

describe('access', () => {
  const review = (bed: ReturnType<typeof createDoorBed>, verb: string, user?: string) =>
    bed.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      ...(user ? { user } : {}),
      body: { spec: { resourceAttributes: { verb, resource: 'pods', namespace: 'default' } } },
    });

  it('is everybody’s when no rule is given', () => {
    const { code, body } = review(createDoorBed(), 'delete', 'jane');
    expect([code, body.status.allowed]).toEqual([201, true]);
  });

  it('follows the rule, in reviews as in requests', () => {
    const bed = createDoorBed({
      allows: ({ user, verb, resource }) => user.name !== 'jane' || resource !== 'pods' || verb === 'list',
    });
    expect(review(bed, 'list', 'jane').body.status.allowed).toBe(true);
    expect(review(bed, 'delete', 'jane').body.status.allowed).toBe(false);
    expect(bed.ask('GET', PODS, { user: 'jane' }).code).toBe(200);
    expect(bed.ask('GET', `${PODS}/a`, { user: 'jane' }).body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'pods "a" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default"',
    });
  });

  it('refuses a review that asks nothing', () => {
    expect(
      createDoorBed().ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: { spec: { user: 'x' } } }).code,
    ).toBe(422);
  });
});

describe('custom kinds', () => {
  const definition = {
    metadata: { name: 'boats.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Namespaced',
      names: { kind: 'Boat', plural: 'boats', singular: 'boat', listKind: 'BoatList', shortNames: ['bt'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Sails', type: 'integer', jsonPath: '.spec.sails' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { sails: { type: 'integer' } } }, status: { type: 'object' } },
            },
          },
        },
      ],
    },
  };
  const BOATS = '/apis/example.org/v1/namespaces/default/boats';
  const harbour = () => {
    const bed = createDoorBed();
    expect(bed.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition }).code).toBe(201);
    return bed;
  };

  it('are served like any other, with their own columns', () => {
    const bed = harbour();
    expect(bed.ask('POST', BOATS, { body: { metadata: { name: 'argo' }, spec: { sails: 2 } } }).code).toBe(201);
    const { body } = bed.ask('GET', BOATS, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect(body.rows[0].cells).toEqual(['argo', 2]);
    expect(bed.ask('GET', BOATS).body.kind).toBe('BoatList');
    expect(bed.ask('GET', '/apis/example.org/v1').body.resources[0]).toMatchObject({ name: 'boats', shortNames: ['bt'] });
  });

  it('have no strategic merge', () => {
    const bed = harbour();
    bed.ask('POST', BOATS, { body: { metadata: { name: 'argo' }, spec: { sails: 2 } } });
    expect(bed.ask('PATCH', `${BOATS}/argo`, { contentType: 'application/strategic-merge-patch+json', body: {} }).code).toBe(415);
  });

  it('tell unknown fields', () => {
    const body = { metadata: { name: 'argo' }, spec: { sails: 2, oars: 50 } };
    expect(harbour().ask('POST', BOATS, { body }).headers.Warning).toContain('spec.oars');
    expect(harbour().ask('POST', BOATS, { body, query: { fieldValidation: 'Strict' } }).code).toBe(400);
  });
});
