// Runs the app of docs/provider.md as a browser does, as far as it needs one: an address, a session's storage, a history.
import { pathToFileURL } from 'node:url'

const [, given] = process.argv.slice(2)
const { app, issuer, cookie, here } = JSON.parse(given)

const stored = new Map()
globalThis.sessionStorage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: (name) => stored.delete(name),
}
globalThis.history = { replaceState: (_state, _title, address) => { location.href = address } }
globalThis.location = { href: here, assign: (url) => { location.href = String(url) } }

const answered = fetch
let refused = 0
globalThis.fetch = (url, options) => {
  const origin = { origin: new URL(here).origin }
  const sent = { ...options, headers: { ...Object.fromEntries(new Headers(options?.headers)), ...origin } }
  if (String(url).endsWith('/graphql') && refused === 1) {
    refused += 1
    return Promise.resolve(new Response('{}', { status: 401 }))
  }
  return answered(url, sent)
}

const { signIn, signedIn, ask } = await import(pathToFileURL(app))
const out = { before: (await signedIn()) ?? null }
await signIn()
out.sentTo = location.href.split('?')[0]
const page = await answered(location.href, { headers: { cookie }, redirect: 'manual' })
const html = await page.text()
const field = (name) => html.match(new RegExp(`name="${name}" value="([^"]*)"`))[1].replaceAll('&amp;', '&')
const body = new URLSearchParams({ form: field('form'), request: field('request'), answer: 'yes' })
const headers = { cookie: [cookie, page.headers.getSetCookie()[0]?.split(';')[0]].filter(Boolean).join('; '), origin: issuer }
const sent = await answered(`${issuer}/oauth/consent`, { method: 'POST', body, headers, redirect: 'manual' })
location.href = sent.headers.get('location')
out.claims = await signedIn()
out.address = location.href
out.viewer = await ask('{ viewer { account { name } } }')
refused = 1
out.again = await Promise.all([ask('{ viewer { account { name } } }'), ask('{ viewer { account { name } } }')])
console.log(JSON.stringify(out))
