"""Who trades: companies that the operator admits, their users, and the warehouse's machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stdnum.cn import uscc

from loadtests.api import Actor, new_key, session_of, token_of
from loadtests.steel.trade import Trade


def company_code(number: int) -> str:
    """A unified social credit code with right check digits, for sample companies (region 120116 is Tianjin Binhai)."""
    organisation = f"{number:08d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    check = (11 - sum(int(d) * w for d, w in zip(organisation, weights, strict=True)) % 11) % 11
    body = f"91120116{organisation}{'X' if check == 10 else check}"
    return body + uscc.calc_check_digit(body)


@dataclass
class Company:
    """A company and its people."""

    party_id: str
    name: str
    account_id: str
    account_number: str
    admin: Actor
    desk: Actor
    email: str
    password: str
    reference: str = ""


class People(Trade):
    """The admission of companies and their people."""

    def admit(self, role: str, name: str, **more: Any) -> Company:
        """The operator admits a company (``more``: its group); its first user chooses a password and every role."""
        number = self.number * 10 + len(self.companies) + 1
        email = f"{role}.{self.number}@{self.domain}"
        account = {"holder": name, "number": f"6222{number:012d}", "bank": "Sample Bank of Tianjin", "currency": "CNY"}
        admitted = self.operator.post(
            "/v1/parties",
            {
                "name": name,
                "country": "CN",
                "identifiers": [{"scheme": "uscc", "value": company_code(number)}],
                "bank_accounts": [account],
                "admin": {"email": email, "name": f"{name} desk"},
                **more,
            },
        )
        invitation = admitted["admin"]
        self.api.call(
            "POST", "/v1/passwords", {"token": invitation["invitation"], "password": self.password}, key=new_key()
        )
        admin = self.seat(role, email, admitted["id"])
        roles = ["purchaser", "seller", "signatory", "finance", "warehouse", "admin", "reader"]
        admin.post(f"/v1/users/{invitation['user_id']}/roles", {"roles": roles})
        desk = self.seat(role, email, admitted["id"])
        company = Company(
            admitted["id"],
            name,
            admitted["bank_accounts"][0]["id"],
            account["number"],
            admin,
            desk,
            email,
            self.password,
        )
        self.companies[role] = company
        return company

    def seat(self, role: str, email: str, party_id: str) -> Actor:
        """A user of a company, about to sign in."""
        return Actor(self.api, role, session_of(self.api, email, self.password), party_id)

    def machine(self, name: str, api_key: str) -> Actor:
        """A machine of the warehouse, about to fetch its token."""
        return Actor(self.api, name, token_of(self.api, api_key), self.warehouse.party_id)

    def admit_all(self) -> None:
        """A mill, a buyer, and a third party's warehouse."""
        self.admit("mill", f"Bohai Rolling Mill {self.number}")
        self.admit("buyer", f"Tianjin Fabrication {self.number}")
        self.admit("warehouse", f"Xingang Warehouse {self.number}")
        self.settle()
