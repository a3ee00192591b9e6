"""The three APIs behind two small protocols (Seller, Registry): wire models to domain types.

May import clients and domain; services import only `base` and `outcomes` from here.
"""
