// Objects that use every field that is compiled, so that proxies can be asked whether they take what comes of them.

/** The services that the objects speak of. */
export const everyService: readonly string[] = ['reviews', 'ratings'];

export const everyVirtualService = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: default}
spec:
  hosts: [reviews]
  http:
  - name: conditions
    match:
    - name: texts
      uri: {regex: "/v[0-9]+/.*"}
      scheme: {exact: http}
      method: {regex: GET|HEAD}
      authority: {prefix: reviews}
      headers: {a: {exact: "1"}, b: {prefix: x}, c: {regex: "y+"}, d: {}}
      withoutHeaders: {e: {exact: "2"}, f: {}}
      queryParams: {q: {exact: "3"}, r: {regex: "[0-9]"}, s: {}}
      statPrefix: texts
    - {uri: {exact: /Exact}, ignoreUriCase: true, port: 9080, sourceNamespace: default}
    - {uri: {prefix: /labels}, sourceLabels: {app: page}, gateways: [mesh]}
    route: [{destination: {host: ratings, port: {number: 9080}}}]
  - match: [{uri: {prefix: /moved}}]
    redirect: {prefixRewrite: /new, authority: "other.example:8080", scheme: https, redirectCode: 308}
  - match: [{uri: {prefix: /there}}]
    redirect: {uri: "/here?x=y", derivePort: FROM_REQUEST_PORT}
  - match: [{uri: {prefix: /closed}}]
    directResponse: {status: 503, body: {string: "closed\\n"}}
  - match: [{uri: {prefix: /bytes}}]
    directResponse: {status: 200, body: {bytes: AAEC}}
  - match: [{uri: {prefix: /delegated}}]
    delegate: {name: delegate}
  - match: [{uri: {prefix: /once}}]
    route: [{destination: {host: reviews}}]
    retries: {attempts: 0}
    corsPolicy:
      allowOrigins: [{exact: https://a.example}, {prefix: https://b.}, {regex: "https://[a-z]+"}]
      allowMethods: [GET]
      allowHeaders: [x-a]
      exposeHeaders: [x-b]
      maxAge: 1h
      allowCredentials: true
      unmatchedPreflights: IGNORE
    fault: {delay: {fixedDelay: 5ms, percentage: {value: 0.1}}, abort: {httpStatus: 418, percentage: {value: 0.01}}}
  - match: [{uri: {regex: "/[^/]+/old"}}]
    route: [{destination: {host: reviews}}]
    rewrite: {uriRegexRewrite: {match: "^/([^/]+)/old", rewrite: "/\\\\1/new"}}
  - route:
    - destination: {host: reviews, subset: v1}
      weight: 70
      headers: {request: {set: {host: one.example, x-share: "70"}}, response: {remove: [server]}}
    - {destination: {host: reviews, subset: v2}, weight: 30}
    rewrite: {uri: /, authority: reviews.example}
    timeout: 10s
    retries:
      attempts: 3
      perTryTimeout: 2.5s
      retryOn: "5xx,reset,connect-failure,retriable-4xx,409,unavailable"
      retryIgnorePreviousHosts: true
      backoff: 30ms
    mirrors:
    - {destination: {host: ratings}, percentage: {value: 12.5}}
    - {destination: {host: reviews, subset: v2}}
    headers:
      request: {set: {x-from: "%REQ(:authority)% 50%%"}, add: {x-add: a}, remove: [x-debug]}
      response: {set: {x-route: "%ROUTE_NAME%"}, add: {x-more: b}, remove: [x-powered-by]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: delegate, namespace: default}
spec:
  http:
  - match: [{uri: {prefix: /delegated/ratings}}]
    route: [{destination: {host: ratings}}]
  - route: [{destination: {host: reviews}}]
`;

export const everyDestinationRule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: default}
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: {simple: LEAST_REQUEST}
    connectionPool:
      tcp: {maxConnections: 100, connectTimeout: 2s, tcpKeepalive: {time: 60s}, maxConnectionDuration: 30m}
      http:
        http1MaxPendingRequests: 10
        http2MaxRequests: 20
        maxRequestsPerConnection: 1000
        maxRetries: 5
        idleTimeout: 90s
        maxConcurrentStreams: 64
        http2KeepAlive: {interval: 30s, timeout: 5s}
    tls: {mode: ISTIO_MUTUAL, sni: reviews.example, subjectAltNames: ["spiffe://cluster.local/ns/default/sa/reviews"]}
    retryBudget: {percent: 25, minRetryConcurrency: 5}
  subsets:
  - {name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
  - name: v2
    labels: {version: v2}
    trafficPolicy:
      tls: {mode: DISABLE}
      portLevelSettings: [{port: {number: 9080}, connectionPool: {tcp: {maxConnections: 7}}}]
`;

export const everyGatewayRoute = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ratings, namespace: default}
spec:
  parentRefs: [{group: "", kind: Service, name: ratings, port: 9080}]
  rules:
  - name: conditions
    matches:
    - path: {type: Exact, value: /exact}
      method: GET
      headers: [{name: X-A, value: "1"}, {type: RegularExpression, name: x-b, value: "[0-9]+"}]
      queryParams: [{name: q, value: "2"}, {type: RegularExpression, name: r, value: "x+"}]
    - path: {type: RegularExpression, value: "/v[0-9]/.*"}
    filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-set, value: "100%"}], add: [{name: x-add, value: a}], remove: [x-old]}}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-set, value: b}]}}
    - {type: RequestMirror, requestMirror: {backendRef: {name: reviews, port: 9080}, percent: 20}}
    - {type: URLRewrite, urlRewrite: {hostname: ratings.example, path: {type: ReplaceFullPath, replaceFullPath: /full}}}
    - {type: CORS, cors: {allowOrigins: ["https://*.example"], allowMethods: [GET], maxAge: 60}}
    backendRefs:
    - {name: ratings, port: 9080, weight: 9, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-one, value: c}]}}]}
    - {name: missing, port: 9080, weight: 1}
    timeouts: {request: 5s, backendRequest: 2s}
    retry: {attempts: 3, codes: [500, 503], backoff: 10ms}
  - matches: [{path: {value: /prefix}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    backendRefs: [{name: ratings, port: 9080}]
  - matches: [{path: {value: /moved}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, hostname: other.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}, statusCode: 301}}]
  - matches: [{path: {value: /there}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /here}}}]
  - backendRefs: [{name: missing, port: 9080}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: ratings-calls, namespace: default}
spec:
  parentRefs: [{group: "", kind: Service, name: ratings}]
  rules:
  - matches:
    - {method: {service: a.B, method: C}, headers: [{name: x, value: y}]}
    - {method: {service: a.B}}
    - {method: {method: D}}
    - {method: {type: RegularExpression, service: "a\\\\..*"}}
    backendRefs: [{name: reviews, port: 9080}]
`;
