"""What the tests of identity ask, and what they look at afterwards."""

from domain.identity import ApiKey, Board, Role, Team, TeamMember, Tenant, User
from domain.ids import public
from tests.passwords import PASSWORD

SIGN_IN = """mutation($email: EmailAddress!, $password: String!, $tenant: String) {
  signIn(input: {email: $email, password: $password, tenant: $tenant}) {
    session { accessToken expiresAt user { id email } tenant { slug } }
    userErrors { __typename code message path }
} }"""
UPDATE = """mutation($input: UserUpdateInput!) { userUpdate(input: $input) {
  user { id name role active version } userErrors { code path }
} }"""
CREATE_TEAM = """mutation($input: TeamCreateInput!) { teamCreate(input: $input) {
  team { name side calendar { name } } userErrors { code path } } }"""
UPDATE_TEAM = """mutation($input: TeamUpdateInput!) { teamUpdate(input: $input) {
  team { name calendar { name } } userErrors { code path } } }"""
ADD_MEMBER = """mutation($input: TeamMemberAddInput!) { teamMemberAdd(input: $input) {
  teamMember { id team { name } user { name } available capacity } userErrors { code path } } }"""
UPDATE_MEMBER = """mutation($input: TeamMemberUpdateInput!) { teamMemberUpdate(input: $input) {
  teamMember { available capacity } userErrors { code path } } }"""
REMOVE_MEMBER = """mutation($input: TeamMemberRemoveInput!) { teamMemberRemove(input: $input) {
  teamMember { user { name } } userErrors { code path } } }"""
UPDATE_TENANT = """mutation($input: TenantUpdateInput!) { tenantUpdate(input: $input) {
  tenant { name timeZone currency } userErrors { code path } } }"""
CREATE_KEY = """mutation($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) {
  issuedApiKey { secret apiKey { id name role revokedAt createdBy { name } } }
  userErrors { code path } } }"""
ROTATE_KEY = """mutation($input: ApiKeyRotateInput!) { apiKeyRotate(input: $input) {
  issuedApiKey { secret apiKey { id rotatedAt previousExpiresAt } } userErrors { code path } } }"""
REVOKE_KEY = """mutation($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) {
  apiKey { id revokedAt } userErrors { code path } } }"""
CREATE_BOARD = """mutation($input: BoardLinkCreateInput!) { boardLinkCreate(input: $input) {
  issuedBoardLink { url boardLink { id name revokedAt salesTeam { name } } }
  userErrors { code path } } }"""
REVOKE_BOARD = """mutation($input: BoardLinkRevokeInput!) { boardLinkRevoke(input: $input) {
  boardLink { id revokedAt } userErrors { code path } } }"""


def user_id(user):
    return public("User", user.id)


async def let_in(company, **more):
    """Have Bo in the company, with the password of these tests."""
    usual = {"name": "Bo", "role": Role.MEMBER, "password": PASSWORD}
    return await company.services.accounts.add_user(
        company.actor(), email=f"bo@{company.tenant.slug}.example", **{**usual, **more}
    )


def refused(code, *path):
    return [{"code": code, "path": list(path)}]


async def stored(world, kind, **equals):
    async with world.work() as work:
        return await work.find(kind, **equals)


async def everything(world):
    """Return all that these mutations could change."""
    return [await stored(world, kind) for kind in (Tenant, User, Team, TeamMember, ApiKey, Board)]
