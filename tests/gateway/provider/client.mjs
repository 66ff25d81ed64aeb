// A service that signs people in at Plein with openid-client, which knows nothing of Plein. The browser is this script,
// too: it keeps the session's cookie, follows redirects and sends the form of the page where one agrees.
import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const [home, given] = process.argv.slice(2)
const require = createRequire(`${home}/`)
const oidc = await import(pathToFileURL(require.resolve('openid-client')))
const jose = await import(pathToFileURL(require.resolve('jose')))
const { issuer, cookie, client, site, callback, goodbye, port } = JSON.parse(given)

const cookies = new Map([cookie.split('=')])
const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

async function visit(url, options = {}) {
  const headers = { cookie: header(), ...options.headers }
  const answer = await fetch(url, { ...options, headers, redirect: 'manual' })
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=')
    value ? cookies.set(name, value) : cookies.delete(name)
  }
  return answer
}

// Where the browser ends up: at an address outside Plein.
async function browse(url) {
  for (let steps = 0; steps < 8; steps += 1) {
    if (!url.href.startsWith(issuer)) return url
    const answer = await visit(url)
    if (answer.status >= 300 && answer.status < 400) {
      url = new URL(answer.headers.get('location'), url)
      continue
    }
    const html = await answer.text()
    if (!html.includes('/oauth/consent')) throw new Error(`${answer.status} ${html}`)
    const field = (name) => html.match(new RegExp(`name="${name}" value="([^"]*)"`))[1].replaceAll('&amp;', '&')
    const body = new URLSearchParams({ form: field('form'), request: field('request'), answer: 'yes' })
    const sent = await visit(`${issuer}/oauth/consent`, { method: 'POST', body, headers: { origin: issuer } })
    url = new URL(sent.headers.get('location'), issuer)
  }
  throw new Error('too many redirects')
}

const authentication = {
  secret: () => oidc.ClientSecretBasic(client.secret),
  post: () => oidc.ClientSecretPost(client.secret),
  key: async () => {
    const key = await jose.importJWK(client.jwk, 'ES256')
    return oidc.PrivateKeyJwt({ key, kid: client.jwk.kid })
  },
  none: () => oidc.None(),
}
const execute = [oidc.allowInsecureRequests]
const algorithm = client.algorithm ?? 'RS256'
const config = await oidc.discovery(
  new URL(issuer), client.id, { id_token_signed_response_alg: algorithm }, await authentication[client.how](), { execute },
)

async function signIn(more = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const expectedState = oidc.randomState()
  const expectedNonce = oidc.randomNonce()
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid profile email read',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  })
  return oidc.authorizationCodeGrant(config, await browse(url), { pkceCodeVerifier, expectedState, expectedNonce })
}

const refused = async (work) => {
  try {
    await work()
  } catch (error) {
    return error.error ?? error.code ?? error.message
  }
  return 'nothing was refused'
}

const told = []
const listening = createServer(async (request, response) => {
  const body = []
  for await (const chunk of request) body.push(chunk)
  told.push(new URLSearchParams(Buffer.concat(body).toString()).get('logout_token'))
  response.end()
}).listen(port, '127.0.0.1')

const out = { metadata: config.serverMetadata() }
const tokens = await signIn()
out.claims = tokens.claims()
out.scope = tokens.scope
out.userinfo = await oidc.fetchUserInfo(config, tokens.access_token, out.claims.sub)

const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
const checked = await jose.jwtVerify(tokens.access_token, keys, { issuer, audience: issuer, typ: 'at+jwt' })
out.accessAlgorithm = checked.protectedHeader.alg

const second = await oidc.refreshTokenGrant(config, tokens.refresh_token)
out.refreshed = second.refresh_token !== tokens.refresh_token && second.claims().sub === out.claims.sub
if (client.how !== 'none') {
  out.active = (await oidc.tokenIntrospection(config, second.access_token)).active
}

const ofSite = await signIn({ resource: site })
out.siteToken = ofSite.access_token
const graphql = async (token, query) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return (await fetch(`${issuer}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) })).json()
}
out.viewer = await graphql(second.access_token, '{ viewer { account { name } } }')

out.reuse = await refused(() => oidc.refreshTokenGrant(config, tokens.refresh_token))
out.family = await refused(() => oidc.refreshTokenGrant(config, second.refresh_token))

const third = await signIn()
await oidc.tokenRevocation(config, third.refresh_token)
out.revoked = await refused(() => oidc.refreshTokenGrant(config, third.refresh_token))

if (client.how !== 'none') {
  const own = await oidc.clientCredentialsGrant(config, { scope: 'read', resource: site })
  out.own = jose.decodeJwt(own.access_token)
}

const last = await signIn()
const url = oidc.buildEndSessionUrl(config, { id_token_hint: last.id_token, post_logout_redirect_uri: goodbye, state: 's' })
out.goodbye = (await browse(url)).href
for (let waited = 0; told.length === 0 && waited < 15000; waited += 50) await new Promise((done) => setTimeout(done, 50))
const logout = await jose.jwtVerify(told[0], keys, { issuer, audience: client.id, typ: 'logout+jwt' })
out.logout = { sid: logout.payload.sid === last.claims().sid, sub: logout.payload.sub === last.claims().sub, count: told.length }
out.after = await refused(() => oidc.refreshTokenGrant(config, last.refresh_token))
listening.close()
console.log(JSON.stringify(out))
